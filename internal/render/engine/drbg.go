package engine

import (
	"crypto/sha256"
	"encoding/binary"
	"io"
	"math/rand/v2"
	"time"
)

// drbg is randomness that is the same for the same seed, template and order
// of calls. What it gives is not secret.
type drbg struct {
	*rand.ChaCha8
	calls int              // keys drawn from the pool
	now   func() time.Time // from when certificates are valid; nil where none are made
}

func (d *drbg) seed(seed, template string) {
	h := sha256.New()
	var n [8]byte
	binary.BigEndian.PutUint64(n[:], uint64(len(seed)))
	h.Write(n[:])
	io.WriteString(h, seed)
	io.WriteString(h, template)
	d.ChaCha8, d.calls = rand.NewChaCha8([32]byte(h.Sum(nil))), 0
}

// bytes returns n random bytes.
func (d *drbg) bytes(n int) []byte {
	b := make([]byte, n)
	d.Read(b) // never fails
	return b
}

// from returns n random bytes of an alphabet.
func (d *drbg) from(alphabet string, n int) string {
	r := rand.New(d.ChaCha8)
	b := make([]byte, n)
	for i := range b {
		b[i] = alphabet[r.IntN(len(alphabet))]
	}
	return string(b)
}
