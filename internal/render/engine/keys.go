package engine

import (
	"crypto"
	//lint:ignore SA1019 templates can ask for it
	"crypto/dsa"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"math/big"
	"sync"
)

// keyPool holds the keys of seeded renders: a few, the same in every process,
// each generated when it is first asked for. They protect nothing.
type keyPool struct {
	rsa [4]slot[*rsa.PrivateKey]
	dsa slot[*dsa.PrivateKey]
}

type slot[K any] struct {
	once sync.Once
	key  K
}

// rsaKey returns the n-th key of the pool.
func (p *keyPool) rsaKey(n int) *rsa.PrivateKey {
	s := &p.rsa[n%len(p.rsa)]
	s.once.Do(func() {
		d := new(drbg)
		d.seed("rsa keys of seeded renders", string(rune('0'+n%len(p.rsa))))
		s.key = newRSA(d, 2048, rsaSteps[n%len(p.rsa)])
	})
	return s.key
}

// rsaSteps are how far from the numbers drawn the primes of the pool's keys are, as the
// search finds them: it takes a tenth of a second each.
var rsaSteps = [4][2]int{{214, 44}, {1119, 732}, {437, 664}, {160, 190}}

// newRSA makes a key out of the numbers that d draws. steps are those of prime.
func newRSA(d *drbg, bits int, steps [2]int) *rsa.PrivateKey {
	e, one := big.NewInt(65537), big.NewInt(1)
	for {
		p, q := d.prime(bits/2, steps[0]), d.prime(bits/2, steps[1])
		phi := new(big.Int).Mul(new(big.Int).Sub(p, one), new(big.Int).Sub(q, one))
		exp := new(big.Int).ModInverse(e, phi)
		n := new(big.Int).Mul(p, q)
		if exp == nil || n.BitLen() != bits || p.Cmp(q) == 0 {
			continue
		}
		key := &rsa.PrivateKey{PublicKey: rsa.PublicKey{N: n, E: int(e.Int64())}, D: exp, Primes: []*big.Int{p, q}}
		key.Precompute()
		return key
	}
}

// prime searches upwards from drawn: a product of two such primes has twice the bits. Where the prime is known to be so
// many steps up, it is not searched for; 0 is not known.
func (d *drbg) prime(bits, steps int) *big.Int {
	n := d.drawn(bits)
	if steps > 0 {
		return n.Add(n, big.NewInt(2*int64(steps)))
	}
	for two := big.NewInt(2); !n.ProbablyPrime(8); {
		n.Add(n, two)
	}
	return n
}

// drawn is a random odd number whose two highest bits are set.
func (d *drbg) drawn(bits int) *big.Int {
	n := new(big.Int).SetBytes(d.bytes(bits / 8))
	return n.SetBit(n, bits-1, 1).SetBit(n, bits-2, 1).SetBit(n, 0, 1)
}

func (d *drbg) ecdsaKey() (*ecdsa.PrivateKey, error) {
	b := d.bytes(32)
	b[0] &= 0x7f // below the order of P-256
	b[31] |= 1   // not zero
	return ecdsa.ParseRawPrivateKey(elliptic.P256(), b)
}

func (d *drbg) ed25519Key() crypto.PrivateKey {
	return ed25519.NewKeyFromSeed(d.bytes(ed25519.SeedSize))
}

// dsaKey returns the pool's only DSA key, of 1024 bits: its parameters take
// seconds at 2048.
func (p *keyPool) dsaKey() *dsa.PrivateKey {
	p.dsa.once.Do(func() {
		d := new(drbg)
		d.seed("dsa key of seeded renders", "")
		p.dsa.key = newDSA(d)
	})
	return p.dsa.key
}

func newDSA(d *drbg) *dsa.PrivateKey {
	one := big.NewInt(1)
	q := d.prime(160, 0)
	twice := new(big.Int).Lsh(q, 1)
	p := new(big.Int)
	for {
		x := new(big.Int).SetBytes(d.bytes(128))
		x.SetBit(x, 1023, 1)
		p.Sub(x, new(big.Int).Mod(x, twice))
		p.Add(p, one)
		if p.BitLen() == 1024 && p.ProbablyPrime(8) {
			break
		}
	}
	g := new(big.Int).Exp(big.NewInt(2), new(big.Int).Div(new(big.Int).Sub(p, one), q), p)
	x := new(big.Int).Mod(new(big.Int).SetBytes(d.bytes(20)), q)
	key := &dsa.PrivateKey{X: x}
	key.Parameters = dsa.Parameters{P: p, Q: q, G: g}
	key.Y = new(big.Int).Exp(g, x, p)
	return key
}
