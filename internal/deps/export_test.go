package deps

import helmchart "helm.sh/helm/v3/pkg/chart"

// LockDigest is the digest of a lock, of name, version and repository of each dependency.
func LockDigest(req, locked [][3]string) string {
	sum, err := lockDigest(dependencies(req), dependencies(locked))
	if err != nil {
		panic(err)
	}
	return sum
}

func dependencies(list [][3]string) []*helmchart.Dependency {
	var ds []*helmchart.Dependency
	for _, d := range list {
		ds = append(ds, &helmchart.Dependency{Name: d[0], Version: d[1], Repository: d[2]})
	}
	return ds
}
