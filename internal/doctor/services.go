package doctor

// Services are what a build needs beyond its machine.
type Services struct{}
