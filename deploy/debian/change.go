package main

import (
	"fmt"
	"net/mail"
	"os"
	"regexp"
	"strings"
	"time"
)

// change is the newest entry of a changelog (deb-changelog(5)).
type change struct {
	version    string
	maintainer string
	at         time.Time
}

var (
	changeHead = regexp.MustCompile(`^carrel \(([0-9][0-9A-Za-z.+~]*)\) `)
	changeFoot = regexp.MustCompile(`^ -- (.+ <.+>)  (.+)$`)
)

func readChange(file string) (change, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return change{}, err
	}
	var c change
	for line := range strings.SplitSeq(string(text), "\n") {
		if m := changeHead.FindStringSubmatch(line); m != nil && c.version == "" {
			c.version = m[1]
		}
		if m := changeFoot.FindStringSubmatch(line); m != nil && c.version != "" {
			c.maintainer = m[1]
			c.at, err = mail.ParseDate(m[2])
			if err != nil {
				return change{}, fmt.Errorf("%s: %w", file, err)
			}
			return c, nil
		}
	}
	return change{}, fmt.Errorf("%s: no entry of the form of deb-changelog(5)", file)
}
