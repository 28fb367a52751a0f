package store

import (
	"crypto/rand"
	"os"
	"path"
)

// writeTemp writes data to a new file in the store's own tmp/, from where a rename is atomic.
func (s *Store) writeTemp(data []byte) (name string, err error) {
	name = path.Join(tmpDir, rand.Text())
	f, err := s.root.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return "", err
	}
	_, err = f.Write(data)
	if closeErr := f.Close(); err == nil {
		err = closeErr
	}
	if err != nil {
		s.root.Remove(name)
		return "", err
	}
	return name, nil
}
