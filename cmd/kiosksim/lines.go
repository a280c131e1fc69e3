package main

import (
	"bufio"
	"io"
)

// readLines sends the lines of r until it ends.
func readLines(r io.Reader, lines chan<- string) {
	defer close(lines)
	sc := bufio.NewScanner(r)
	for sc.Scan() {
		lines <- sc.Text()
	}
}
