package engine

import (
	"crypto/aes"
	"crypto/cipher"
	"encoding/base64"
	"fmt"
	"math/rand/v2"
	"strings"
	"text/template"
	"time"
)

const (
	digits   = "0123456789"
	letters  = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
	maxDrawn = 1 << 20 // random characters or bytes that one call gives
)

// randomFuncs replace Sprig's where the render is seeded.
func (r *run) randomFuncs() template.FuncMap {
	return template.FuncMap{
		"randAlpha":     r.drawn(letters),
		"randAlphaNum":  r.drawn(letters + digits),
		"randNumeric":   r.drawn(digits),
		"randAscii":     r.drawn(ascii()),
		"randBytes":     r.randBytes,
		"randInt":       r.randInt,
		"shuffle":       r.shuffle,
		"uuidv4":        r.uuid,
		"bcrypt":        r.bcrypt,
		"htpasswd":      r.htpasswd,
		"encryptAES":    r.encryptAES,
		"genPrivateKey": r.genPrivateKey,
	}
}

// ascii is what randAscii draws from: the printable characters.
func ascii() string {
	var b strings.Builder
	for c := byte(' '); c <= '~'; c++ {
		b.WriteByte(c)
	}
	return b.String()
}

func (r *run) drawable(n int) error {
	if n > maxDrawn {
		return r.exceeded("the length of one random string", size(maxDrawn))
	}
	return r.step()
}

func (r *run) drawn(alphabet string) func(int) (string, error) {
	return func(n int) (string, error) {
		if err := r.drawable(n); err != nil || n < 0 {
			return "", err
		}
		return r.str(r.random.from(alphabet, n))
	}
}

func (r *run) randBytes(n int) (string, error) {
	if err := r.drawable(n); err != nil {
		return "", err
	}
	return r.str(base64.StdEncoding.EncodeToString(r.random.bytes(n)))
}

func (r *run) randInt(low, high int) (int, error) {
	if high <= low {
		panic("invalid argument to Intn")
	}
	return rand.New(r.random.ChaCha8).IntN(high-low) + low, nil
}

func (r *run) shuffle(s string) (string, error) {
	if len(s) > maxSlow {
		return "", r.exceeded("the length of a string given to shuffle", size(maxSlow))
	}
	runes := []rune(s)
	rand.New(r.random.ChaCha8).Shuffle(len(runes), func(i, j int) { runes[i], runes[j] = runes[j], runes[i] })
	return r.str(string(runes))
}

func (r *run) uuid() string {
	b := r.random.bytes(16)
	b[6] = b[6]&0x0f | 0x40
	b[8] = b[8]&0x3f | 0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}

func (r *run) bcrypt(password string) (string, error) {
	if err := r.check(); err != nil {
		return "", err
	}
	hash, err := bcryptHash([]byte(password), r.random.bytes(bcryptSalt))
	if err != nil {
		return fmt.Sprintf("failed to encrypt string with bcrypt: %s", err), nil
	}
	return hash, nil
}

func (r *run) htpasswd(user, password string) (string, error) {
	if strings.Contains(user, ":") {
		return r.str("invalid username: " + user)
	}
	hash, err := r.bcrypt(password)
	if err != nil {
		return "", err
	}
	return r.str(user + ":" + hash)
}

func (r *run) encryptAES(password, plain string) (string, error) {
	if plain == "" {
		return "", nil
	}
	if err := r.room(2 * len(plain)); err != nil {
		return "", err
	}
	key := make([]byte, 32)
	copy(key, password)
	block, err := aes.NewCipher(key)
	if err != nil {
		return "", err
	}
	pad := aes.BlockSize - len(plain)%aes.BlockSize
	content := []byte(plain + strings.Repeat(string(rune(pad)), pad))
	iv := r.random.bytes(aes.BlockSize)
	out := append(iv, make([]byte, len(content))...)
	cipher.NewCBCEncrypter(block, iv).CryptBlocks(out[aes.BlockSize:], content)
	return r.str(base64.StdEncoding.EncodeToString(out))
}

// clock is the time of a seeded render.
func clock() time.Time { return time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC) }

// clockFuncs replace Sprig's where the render is seeded: it is always the
// same time, and local time is UTC.
func (r *run) clockFuncs() template.FuncMap {
	date := func(layout string, v any, zone string) (string, error) {
		if err := r.text(layout, zone); err != nil {
			return "", err
		}
		loc, err := time.LoadLocation(zone)
		if err != nil || zone == "Local" {
			loc = time.UTC
		}
		return r.str(moment(v).In(loc).Format(layout))
	}
	ofDay := "2006-01-02"
	return template.FuncMap{
		"now":            clock,
		"date":           func(layout string, v any) (string, error) { return date(layout, v, "Local") },
		"dateInZone":     date,
		"date_in_zone":   date,
		"htmlDate":       func(v any) (string, error) { return date(ofDay, v, "Local") },
		"htmlDateInZone": func(v any, zone string) (string, error) { return date(ofDay, v, zone) },
		"ago":            func(v any) string { return clock().Sub(moment(v)).Round(time.Second).String() },
		"durationRound": func(v any) (string, error) {
			if t, ok := v.(time.Time); ok {
				v = int64(clock().Sub(t))
			}
			return original[func(any) string](r, "durationRound")(v), r.step()
		},
		"toDate": func(layout, s string) time.Time {
			t, _ := time.Parse(layout, s)
			return t
		},
		"mustToDate": time.Parse,
	}
}

// moment is the time that a value stands for; anything that is none is now.
func moment(v any) time.Time {
	switch t := v.(type) {
	case time.Time:
		return t
	case *time.Time:
		return *t
	case int64:
		return time.Unix(t, 0).UTC()
	case int:
		return time.Unix(int64(t), 0).UTC()
	case int32:
		return time.Unix(int64(t), 0).UTC()
	}
	return clock()
}
