package main

import (
	"context"
	"os"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

func TestMain(m *testing.M) {
	silenceLibraries()
	testscript.Main(m, map[string]func(){
		"checktrace": checkTrace,
		"code":       expectCode,
		"chartgate": func() {
			dir, _ := os.Getwd()
			os.Exit(run(context.Background(), os.Args[1:], stdio{In: os.Stdin, Out: os.Stdout, Err: os.Stderr, Env: os.Getenv, Dir: dir, Name: "chartgate"}))
		},
	})
}

func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir: "testdata/script",
		Setup: func(env *testscript.Env) error {
			env.Setenv("CHARTGATE_CACHE_DIR", env.Getenv("WORK")+"/.cache")
			env.Setenv("GIT_CONFIG_GLOBAL", "/dev/null")
			env.Setenv("GORACE", "atexit_sleep_ms=10") // each process of a race build waits for a second when it ends, unless told
			for _, who := range []string{"AUTHOR", "COMMITTER"} {
				env.Setenv("GIT_"+who+"_NAME", "test")
				env.Setenv("GIT_"+who+"_EMAIL", "test@example.com")
			}
			return nil
		},
	})
}
