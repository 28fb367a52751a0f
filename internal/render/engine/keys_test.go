package engine

import (
	"math/big"
	"testing"
)

// TestRSASteps searches for the primes that rsaSteps leads to.
func TestRSASteps(t *testing.T) {
	for n := range rsaSteps {
		d := new(drbg)
		d.seed("rsa keys of seeded renders", string(rune('0'+n)))
		start := new(drbg)
		start.seed("rsa keys of seeded renders", string(rune('0'+n)))
		for i := range rsaSteps[n] {
			found, drawn := d.prime(1024, 0), start.drawn(1024)
			steps := new(big.Int).Rsh(new(big.Int).Sub(found, drawn), 1).Int64()
			if int64(rsaSteps[n][i]) != steps {
				t.Errorf("prime %d of key %d is %d steps up, not %d", i, n, steps, rsaSteps[n][i])
			}
		}
		if err := new(keyPool).rsaKey(n).Validate(); err != nil {
			t.Errorf("key %d: %v", n, err)
		}
	}
}
