package kubesec

// podDocs explains the rules about what a pod shares with its node.
func podDocs() map[string]Doc {
	return map[string]Doc{
		"HostNetwork": {
			Title:   "pod on the node's network",
			Does:    "Matches a pod whose hostNetwork is true.",
			Why:     "The pod sees every interface of the node and whatever listens on its loopback, and NetworkPolicies no longer apply to it.",
			Fix:     "Leave hostNetwork out and expose ports through a Service. An agent that truly needs the node's network belongs in a namespace of its own, with a waiver that says why.",
			Example: "spec:\n  hostNetwork: false\n",
		},
		"HostPID": {
			Title:   "pod among the node's processes",
			Does:    "Matches a pod whose hostPID is true.",
			Why:     "Every process of the node becomes visible, with its command line and, for root, its environment and memory: the secrets of the neighbours included.",
			Fix:     "Leave hostPID out. Containers of one pod that must see each other can use shareProcessNamespace.",
			Example: "spec:\n  shareProcessNamespace: true\n",
		},
		"HostIPC": {
			Title:   "pod in the node's IPC namespace",
			Does:    "Matches a pod whose hostIPC is true.",
			Why:     "Shared memory and semaphores of the node's processes can be read and written from the pod.",
			Fix:     "Leave hostIPC out. Containers of one pod share an IPC namespace already; an emptyDir of medium Memory gives them shared memory.",
			Example: "spec:\n  hostIPC: false\n",
		},
		"HostAliases": {
			Title:   "own entries in /etc/hosts",
			Does:    "Matches a pod that has hostAliases, an empty list too.",
			Why:     "Names resolved from a manifest escape the cluster's DNS: nobody finds them when an address changes, and traffic can be sent elsewhere without a trace in DNS.",
			Fix:     "Drop hostAliases; give the target a Service (type ExternalName or with Endpoints of its own) or a DNS record.",
			Example: "apiVersion: v1\nkind: Service\nmetadata:\n  name: ldap\nspec:\n  type: ExternalName\n  externalName: ldap.example.com\n",
		},
		"DockerSock": {
			Title:   "the container runtime's socket mounted",
			Does:    "Matches a pod with a hostPath volume whose path contains /var/run/docker.sock. Other sockets (containerd's, CRI-O's) are not looked for.",
			Why:     "Who can speak to the runtime can start a privileged container on the node: mounting the socket is handing out root.",
			Fix:     "Build images with a rootless builder and read container data from the Kubernetes API instead of the runtime.",
			Example: "spec:\n  volumes:\n    - name: work\n      emptyDir: {}\n",
		},
		"ProcMount": {
			Title:   "the node's /proc mounted",
			Does:    "Matches a pod with a hostPath volume whose path contains /proc, anywhere in it: /srv/processed matches as well.",
			Why:     "/proc of the node shows all its processes and, where it is writable, its kernel settings; both lead out of the container.",
			Fix:     "Take node metrics from the kubelet or from one node exporter that the platform runs; rename an unrelated host path that merely looks alike.",
			Example: "spec:\n  volumes:\n    - name: data\n      persistentVolumeClaim:\n        claimName: data\n",
		},
		"ServiceAccountName": {
			Title:   "a service account of its own",
			Does:    "Earned by a pod that names a serviceAccountName; which one is not looked at.",
			Why:     "Pods that name none run as `default`, so a right given to one of them is given to all in the namespace.",
			Fix:     "Create a ServiceAccount in the chart, bind only the roles that the program needs, and name it.",
			Example: "spec:\n  serviceAccountName: web\n",
		},
		"AutomountServiceAccountToken": {
			Title:   "no API token where none is needed",
			Does:    "Earned by a pod whose automountServiceAccountToken is false. The same setting on the ServiceAccount is not looked at.",
			Why:     "A token in every container lets whoever breaks in speak to the API server with the pod's rights.",
			Fix:     "Set it to false on the pod; a program that calls the API keeps it, and its role small.",
			Example: "spec:\n  automountServiceAccountToken: false\n",
		},
		"VolumeClaimAccessModeReadWriteOnce": {
			Title:   "volumes of a StatefulSet mounted by one node",
			Does:    "Earned by a StatefulSet without volumeClaimTemplates, or with one whose accessModes are exactly ReadWriteOnce.",
			Why:     "A volume that several nodes may write to can be written by two replicas at once, and databases do not survive that.",
			Fix:     "Claim ReadWriteOnce, alone, for each replica's own data.",
			Example: "spec:\n  volumeClaimTemplates:\n    - metadata:\n        name: data\n      spec:\n        accessModes: [ReadWriteOnce]\n",
		},
		"VolumeClaimRequestsStorage": {
			Title:   "volumes of a StatefulSet with a size",
			Does:    "Earned by a StatefulSet without volumeClaimTemplates, or with one that requests storage.",
			Why:     "A claim without a size cannot be bound, or is bound to whatever volume happens to be free.",
			Fix:     "Request the storage that a replica needs.",
			Example: "spec:\n  volumeClaimTemplates:\n    - metadata:\n        name: data\n      spec:\n        resources:\n          requests:\n            storage: 8Gi\n",
		},
	}
}
