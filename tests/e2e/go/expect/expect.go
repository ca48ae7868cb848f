// Package expect ends a program that does not find what it should, and says what.
package expect

import "log"

// Check ends the program if it is not so.
func Check(is bool, format string, values ...any) {
	if !is {
		log.Fatalf(format, values...)
	}
}

// Must ends the program if there is an error.
func Must[T any](value T, err error) T {
	if err != nil {
		log.Fatal(err)
	}
	return value
}
