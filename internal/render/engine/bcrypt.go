package engine

import (
	"encoding/base64"
	"fmt"

	"golang.org/x/crypto/bcrypt"
	//lint:ignore SA1019 bcrypt is made of it
	"golang.org/x/crypto/blowfish"
)

const (
	bcryptSalt   = 16              // bytes
	bcryptHashed = 23              // bytes of the hash that are written
	bcryptCost   = bcrypt.MinCost  // seeded hashes protect nothing
	bcryptRounds = 1 << bcryptCost // of the key schedule
	bcryptMax    = 72              // bytes of a password
	bcryptText   = "OrpheanBeholderScryDoubt"
	bcryptDigits = "./ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
)

// bcryptHash hashes a password with a given salt, which x/crypto/bcrypt
// insists on drawing itself.
func bcryptHash(password, salt []byte) (string, error) {
	if len(password) > bcryptMax {
		return "", bcrypt.ErrPasswordTooLong
	}
	key := append(append([]byte{}, password...), 0)
	c, err := blowfish.NewSaltedCipher(key, salt)
	if err != nil {
		return "", err
	}
	for range bcryptRounds {
		blowfish.ExpandKey(key, c)
		blowfish.ExpandKey(salt, c)
	}
	hash := []byte(bcryptText)
	for i := 0; i < len(hash); i += blowfish.BlockSize {
		for range 64 {
			c.Encrypt(hash[i:], hash[i:])
		}
	}
	enc := base64.NewEncoding(bcryptDigits).WithPadding(base64.NoPadding)
	return fmt.Sprintf("$2a$%02d$%s%s", bcryptCost, enc.EncodeToString(salt), enc.EncodeToString(hash[:bcryptHashed])), nil
}
