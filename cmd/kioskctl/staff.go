package main

import (
	"bufio"
	"errors"
	"os"
	"strings"

	"github.com/carrel-kiosk/carrel/cmd/internal/cli"
	"github.com/carrel-kiosk/carrel/cmd/internal/config"
)

type staffCmd struct {
	Password staffPassword `cmd:"" help:"Set the password of the pages for staff; it is read from the standard input."`
}

type staffPassword struct{}

func (staffPassword) Run(g *grammar, p *printer) error {
	conf, err := g.load()
	if err != nil {
		return err
	}
	file := conf.Staff.PasswordFile
	if file == "" {
		return cli.Wrong(errors.New("the configuration names no file for it: set password_file under [staff]"))
	}
	p.say("The new password or PIN (it shows while you type), then Enter:")
	line, err := bufio.NewReader(stdin).ReadString('\n')
	if line = strings.TrimRight(line, "\r\n"); line == "" && err != nil {
		return errors.New("no password was given")
	}
	hash, err := config.HashPassword(line)
	if err != nil {
		return err
	}
	if err := replace(file, hash+"\n"); err != nil {
		return err
	}
	p.say("%s is written; restart kioskd to use it", file)
	return nil
}

// replace puts a file in place as a whole, readable for its owner and group.
// A file that is there keeps its owner: the daemon must be able to read it.
func replace(file, text string) error {
	if _, err := os.Stat(file); err == nil {
		return os.WriteFile(file, []byte(text), 0o640)
	}
	tmp := file + ".new"
	if err := os.WriteFile(tmp, []byte(text), 0o640); err != nil {
		return err
	}
	return os.Rename(tmp, file)
}
