package engine

import (
	"crypto/rand"
	"maps"
	"text/template"
	"time"
)

// cheapFuncs replace Sprig's where keys and hashes need not protect anything,
// but all else is to be as in Helm.
func (r *run) cheapFuncs() template.FuncMap {
	out := template.FuncMap{"bcrypt": r.bcrypt, "htpasswd": r.htpasswd, "genPrivateKey": r.genPrivateKey}
	maps.Copy(out, r.certFuncs())
	return out
}

// cheapen makes the run draw keys from the pool, with serial numbers and salts
// that are another every time. It returns the seed of that.
func (r *run) cheapen() string {
	r.random = &drbg{now: time.Now}
	r.set.Funcs(r.cheapFuncs())
	return rand.Text()
}
