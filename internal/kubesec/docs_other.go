package kubesec

// resourceDocs explains the rules about requests and limits. These leave init
// containers out.
func resourceDocs() map[string]Doc {
	return map[string]Doc{
		"RequestsCPU": {
			Title:   "CPU requested",
			Scope:   ScopeContainers,
			Does:    "Earned when at least one container requests CPU; init containers do not count.",
			Why:     "The scheduler places pods by their requests, and shares CPU by them when a node is busy.",
			Fix:     "Request what the container uses at ordinary load.",
			Example: "containers:\n  - name: web\n    resources:\n      requests:\n        cpu: 100m\n",
		},
		"LimitsCPU": {
			Title:   "CPU limited",
			Scope:   ScopeContainers,
			Does:    "Earned when at least one container limits CPU; init containers do not count.",
			Why:     "A runaway container without a limit takes the time of its neighbours on the node.",
			Fix:     "Set a limit with room for peaks. A service whose latency suffers from throttling may do without, with a waiver.",
			Example: "containers:\n  - name: web\n    resources:\n      limits:\n        cpu: \"1\"\n",
		},
		"RequestsMemory": {
			Title:   "memory requested",
			Scope:   ScopeContainers,
			Does:    "Earned when at least one container requests memory; init containers do not count.",
			Why:     "Nodes are packed by requests: without them a pod is the first to be evicted when memory runs short.",
			Fix:     "Request what the container needs to keep running.",
			Example: "containers:\n  - name: web\n    resources:\n      requests:\n        memory: 256Mi\n",
		},
		"LimitsMemory": {
			Title:   "memory limited",
			Scope:   ScopeContainers,
			Does:    "Earned when at least one container limits memory; init containers do not count.",
			Why:     "A leak without a limit brings the node down with it, not only the pod.",
			Fix:     "Set a limit, for most services equal to the request.",
			Example: "containers:\n  - name: web\n    resources:\n      limits:\n        memory: 256Mi\n",
		},
	}
}

// profileDocs explains the rules about seccomp and AppArmor, all of which
// read annotations of the object itself: for a Deployment its own, not its
// pod template's.
func profileDocs() map[string]Doc {
	return map[string]Doc{
		"SeccompAny": {
			Title:   "a seccomp profile by annotation",
			Does:    "Earned by an object with an annotation under seccomp.security.alpha.kubernetes.io/ that is not unconfined. Kubernetes replaced these annotations by securityContext.seccompProfile in 1.19 and no longer reads them; kubesec does not read the field.",
			Why:     "A profile takes away the system calls that a program never makes and exploits do.",
			Fix:     "Set securityContext.seccompProfile, which is what protects; add the annotation only where the score is wanted.",
			Example: "spec:\n  securityContext:\n    seccompProfile:\n      type: RuntimeDefault\n",
		},
		"SeccompUnconfined": {
			Title:   "seccomp switched off by annotation",
			Does:    "Matches an object with an annotation under seccomp.security.alpha.kubernetes.io/ that is unconfined. The field seccompProfile is not read.",
			Why:     "Every system call of the kernel is open to the container.",
			Fix:     "Remove the annotation and set securityContext.seccompProfile to RuntimeDefault.",
			Example: "spec:\n  securityContext:\n    seccompProfile:\n      type: RuntimeDefault\n",
		},
		"ApparmorAny": {
			Title:   "an AppArmor profile by annotation",
			Does:    "Earned by an object with an annotation under container.apparmor.security.beta.kubernetes.io/ that is not unconfined. Kubernetes 1.30 introduced securityContext.appArmorProfile in its place; kubesec does not read the field.",
			Why:     "A profile limits the files and capabilities of a program to those that it is known to need, on nodes whose kernel has AppArmor.",
			Fix:     "Set securityContext.appArmorProfile on current clusters, the annotation on older ones.",
			Example: "spec:\n  securityContext:\n    appArmorProfile:\n      type: RuntimeDefault\n",
		},
	}
}
