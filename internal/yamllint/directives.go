package yamllint

// directives is the state of the comments that switch rules off and on.
type directives struct {
	all []string
}

func (d *directives) disabled(*Problem) bool { return false }
func (d *directives) nextLine()              {}

func disabledFile([]byte) bool { return false }
