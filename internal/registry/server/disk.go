package server

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"io"
	"io/fs"
	"os"
	"path"
	"runtime"

	"github.com/opencontainers/go-digest"
)

// disk is the folder. os.Root keeps every path inside it, links included. Paths
// have slashes.
type disk struct{ root *os.Root }

func blobPath(d digest.Digest) string {
	return path.Join("blobs", d.Algorithm().String(), d.Encoded())
}

func linkPath(repo, kind string, d digest.Digest) string {
	return path.Join("repos", repo, kind, d.Algorithm().String(), d.Encoded())
}

func tagPath(repo, tag string) string { return path.Join("repos", repo, "_tags", tag) }

func randomID() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails
	return hex.EncodeToString(b[:])
}

// write puts a small file into place, whole or not at all.
func (d *disk) write(name string, data []byte) error {
	f, err := d.stage()
	if err != nil {
		return err
	}
	if _, err := f.Write(data); err != nil {
		return errors.Join(err, d.drop(f))
	}
	return d.commit(f, name)
}

// stage opens a new file that only its maker knows.
func (d *disk) stage() (*os.File, error) {
	return d.root.OpenFile("tmp/"+randomID(), os.O_CREATE|os.O_EXCL|os.O_RDWR, 0o644)
}

// staged is a staged file's path under the root.
func staged(f *os.File) string { return "tmp/" + path.Base(f.Name()) }

func (d *disk) drop(f *os.File) error {
	return errors.Join(f.Close(), d.root.Remove(staged(f)))
}

// commit makes a staged file durable and gives it its name, replacing what had it.
func (d *disk) commit(f *os.File, name string) error {
	if err := f.Sync(); err != nil {
		return errors.Join(err, d.drop(f))
	}
	from := staged(f)
	if err := f.Close(); err != nil {
		return errors.Join(err, d.root.Remove(from))
	}
	if err := d.root.MkdirAll(path.Dir(name), 0o755); err != nil {
		return errors.Join(err, d.root.Remove(from))
	}
	if err := d.root.Rename(from, name); err != nil {
		return errors.Join(err, d.root.Remove(from))
	}
	return d.syncDir(path.Dir(name))
}

func (d *disk) syncDir(name string) error {
	if runtime.GOOS == "windows" { // folders cannot be synchronised there
		return nil
	}
	dir, err := d.root.Open(name)
	if err != nil {
		return err
	}
	return errors.Join(dir.Sync(), dir.Close())
}

func (d *disk) exists(name string) (bool, error) {
	_, err := d.root.Stat(name)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	return err == nil, err
}

// read reads a file of our own of at most limit bytes.
func (d *disk) read(name string, limit int64) ([]byte, error) {
	f, err := d.root.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, limit+1))
	if err == nil && int64(len(data)) > limit {
		err = errors.New("a file of the registry is larger than it can be")
	}
	return data, err
}

// list gives the names in a folder, sorted; none if there is no such folder.
func (d *disk) list(name string) ([]string, error) {
	entries, err := fs.ReadDir(d.root.FS(), name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	names := make([]string, len(entries))
	for i, e := range entries {
		names[i] = e.Name()
	}
	return names, err
}

// remove deletes a file; false if there was none.
func (d *disk) remove(name string) (bool, error) {
	err := d.root.Remove(name)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	return err == nil, err
}

// putBlob keeps a content that is known by heart.
func (d *disk) putBlob(dig digest.Digest, data []byte) error {
	there, err := d.exists(blobPath(dig))
	if err != nil || there {
		return err
	}
	return d.write(blobPath(dig), data)
}
