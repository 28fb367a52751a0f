package kubesec

// privilegeDocs explains the rules about what a container may do.
func privilegeDocs() map[string]Doc {
	return map[string]Doc{
		"Privileged": {
			Title:   "privileged container",
			Scope:   ScopeAllContainers,
			Does:    "Matches each container and init container whose securityContext.privileged is true.",
			Why:     "A privileged container has all capabilities and all devices of the node: breaking out takes one command.",
			Fix:     "Remove privileged; add the single capability that is missing, if any.",
			Example: "containers:\n  - name: web\n    securityContext:\n      privileged: false\n      capabilities:\n        drop: [ALL]\n",
		},
		"AllowPrivilegeEscalation": {
			Title:   "privilege escalation allowed",
			Scope:   ScopeAllContainers,
			Does:    "Matches each container and init container whose securityContext.allowPrivilegeEscalation is true. Leaving it out does not match, although Kubernetes then allows escalation.",
			Why:     "A setuid program inside the image can give a process more rights than the container was started with.",
			Fix:     "Set it to false in every container.",
			Example: "containers:\n  - name: web\n    securityContext:\n      allowPrivilegeEscalation: false\n",
		},
		"CapSysAdmin": {
			Title:   "capability SYS_ADMIN added",
			Scope:   ScopeAllContainers,
			Does:    "Matches each container and init container whose added capabilities contain SYS_ADMIN.",
			Why:     "SYS_ADMIN covers mounting, namespaces and much else of the kernel; with it, a container is as good as privileged.",
			Fix:     "Find out which call needs it and add the narrow capability instead, or move the work to a node agent of the platform.",
			Example: "containers:\n  - name: web\n    securityContext:\n      capabilities:\n        drop: [ALL]\n        add: [NET_BIND_SERVICE]\n",
		},
		"CapDropAny": {
			Title:   "some capabilities dropped",
			Scope:   ScopeAllContainers,
			Does:    "Earned when at least one container or init container drops a capability.",
			Why:     "Runtimes give a container a dozen capabilities that few programs use and that exploits rely on.",
			Fix:     "Drop ALL in every container; that earns CapDropAll as well.",
			Example: "containers:\n  - name: web\n    securityContext:\n      capabilities:\n        drop: [ALL]\n",
		},
		"CapDropAll": {
			Title:   "all capabilities dropped",
			Scope:   ScopeAllContainers,
			Does:    "Earned when at least one container or init container drops ALL, in any case of letters.",
			Why:     "What is not there cannot be abused; a list of single capabilities goes stale as kernels add new ones.",
			Fix:     "Drop ALL and add back by name the few that the program needs.",
			Example: "containers:\n  - name: web\n    securityContext:\n      capabilities:\n        drop: [ALL]\n",
		},
		"ReadOnlyRootFilesystem": {
			Title:   "read-only root filesystem",
			Scope:   ScopeAllContainers,
			Does:    "Earned when at least one container or init container has securityContext.readOnlyRootFilesystem set to true.",
			Why:     "An intruder cannot leave programs behind or change those of the image, and a container that writes where it should not is found early.",
			Fix:     "Set it to true in every container, and mount an emptyDir where the program writes.",
			Example: "containers:\n  - name: web\n    securityContext:\n      readOnlyRootFilesystem: true\n    volumeMounts:\n      - name: tmp\n        mountPath: /tmp\n",
		},
		"RunAsNonRoot": {
			Title:   "not run as root",
			Scope:   ScopeAllContainers,
			Does:    "Earned when runAsNonRoot is true for at least one container or init container, in its own securityContext or, where it says nothing, in the pod's.",
			Why:     "Root in a container is root on the node for every kernel flaw and every host path.",
			Fix:     "Set it in the pod's securityContext, and take an image that has a user of its own.",
			Example: "spec:\n  securityContext:\n    runAsNonRoot: true\n",
		},
		"RunAsUser": {
			Title:   "a user id above 10000",
			Scope:   ScopeAllContainers,
			Does:    "Earned when runAsUser is above 10000 for at least one container or init container, in its own securityContext or, where it says nothing, in the pod's.",
			Why:     "Low ids belong to accounts of the node: a process that breaks out would own their files.",
			Fix:     "Set an id above 10000 that the image can run with.",
			Example: "spec:\n  securityContext:\n    runAsUser: 10001\n",
		},
		"RunAsGroup": {
			Title:   "a group id above 10000",
			Scope:   ScopeAllContainers,
			Does:    "Earned when runAsGroup is above 10000 for at least one container or init container, in its own securityContext or, where it says nothing, in the pod's.",
			Why:     "Without it the process belongs to group 0 or to a group that means something else on the node.",
			Fix:     "Set an id above 10000, and fsGroup where volumes are shared.",
			Example: "spec:\n  securityContext:\n    runAsGroup: 10001\n    fsGroup: 10001\n",
		},
	}
}
