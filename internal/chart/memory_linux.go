package chart

import (
	"io/fs"
	"syscall"
)

// markOf is what the system says of a file; not ok where it says too little.
func markOf(info fs.FileInfo) (mark, bool) {
	s, ok := info.Sys().(*syscall.Stat_t)
	if !ok || s.Ino == 0 {
		return mark{}, false
	}
	return mark{size: info.Size(), mtime: s.Mtim.Nano(), ctime: s.Ctim.Nano(), inode: s.Ino, device: uint64(s.Dev)}, true
}
