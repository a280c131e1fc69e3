package main

import (
	"bytes"
	"compress/gzip"
	"crypto/md5"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"text/template"
)

// builder makes packages out of source.
type builder struct {
	root, out string
	change    change
}

// pack is one package on its way.
type pack struct {
	*builder
	name, arch, version string
	dir                 string // what it will unpack, and DEBIAN beside
	err                 error  // the first
}

// scripts is what a package's scripts of maintainers are made of.
type scripts struct {
	Name   string
	Units  string
	Config bool // it brings /etc/carrel
}

// kiosk makes carrel for a target.
func (b *builder) kiosk(t target) error {
	version, lib := b.change.version, libc
	if t.cc == "" {
		version, lib = version+"+"+t.name, ""
	}
	p := b.begin("carrel", t.arch, version)
	defer os.RemoveAll(p.dir)
	for _, name := range []string{"kioskd", "kioskctl"} {
		p.program(t, name)
		p.manual(name)
		p.fill("usr/share/bash-completion/completions/"+name, "deploy/debian/completion", name)
	}
	p.copy("etc/carrel/kiosk.toml", "deploy/debian/kiosk.toml", 0o644)
	p.copy("usr/lib/carrel/backup", "deploy/systemd/backup", 0o755)
	p.copy("usr/lib/carrel/current", "deploy/systemd/current", 0o755)
	for _, u := range []string{"kioskd.service", "carrel-backup.service", "carrel-backup.timer", "run-carrel-stick.mount",
		"carrel-update.path", "carrel-update.service", "carrel-update-resume.service"} {
		p.copy("lib/systemd/system/"+u, "deploy/systemd/"+u, 0o644)
	}
	p.copy("usr/lib/systemd/journald.conf.d/carrel.conf", "deploy/systemd/journald.conf", 0o644)
	p.copy("usr/lib/sysusers.d/carrel.conf", "deploy/systemd/sysusers.conf", 0o644)
	p.copy("lib/udev/rules.d/70-carrel.rules", "deploy/udev/70-carrel.rules", 0o644)
	p.copy("usr/share/lintian/overrides/carrel", "deploy/debian/overrides", 0o644)
	p.copy("usr/share/doc/carrel/examples/kiosk.toml", "deploy/example/kiosk.toml", 0o644)
	p.write("DEBIAN/conffiles", []byte("/etc/carrel/kiosk.toml\n"), 0o644)
	p.maintained(scripts{"carrel", "kioskd.service carrel-backup.timer carrel-update.path carrel-update-resume.service", true})
	return p.end(t.name, lib)
}

// browser makes carrel-browser, which is the same for all.
func (b *builder) browser() error {
	p := b.begin("carrel-browser", "all", b.change.version)
	defer os.RemoveAll(p.dir)
	p.copy("usr/lib/carrel/browser", "deploy/browser/browser", 0o755)
	p.copy("etc/chromium/policies/managed/carrel.json", "deploy/browser/policy.json", 0o644)
	p.copy("lib/systemd/system/carrel-browser.service", "deploy/systemd/carrel-browser.service", 0o644)
	p.copy("usr/lib/sysusers.d/carrel-browser.conf", "deploy/browser/sysusers.conf", 0o644)
	p.write("DEBIAN/conffiles", []byte("/etc/chromium/policies/managed/carrel.json\n"), 0o644)
	p.maintained(scripts{"carrel-browser", "carrel-browser.service", false})
	return p.end("all", "")
}

func (b *builder) begin(name, arch, version string) *pack {
	dir, err := os.MkdirTemp("", "carrel-deb-")
	return &pack{builder: b, name: name, arch: arch, version: version, dir: dir, err: err}
}

func (p *pack) write(to string, content []byte, mode fs.FileMode) {
	if p.err != nil {
		return
	}
	to = filepath.Join(p.dir, to)
	if p.err = os.MkdirAll(filepath.Dir(to), 0o755); p.err == nil {
		p.err = os.WriteFile(to, content, mode)
	}
	if p.err == nil {
		p.err = os.Chmod(to, mode) // whatever the umask
	}
}

func (p *pack) read(from string) []byte {
	b, err := os.ReadFile(filepath.Join(p.root, from))
	if p.err == nil {
		p.err = err
	}
	return b
}

func (p *pack) copy(to, from string, mode fs.FileMode) { p.write(to, p.read(from), mode) }

// template fills in a file of ours.
func (p *pack) template(from string, data any) []byte {
	t, err := template.New(from).Parse(string(p.read(from)))
	var b bytes.Buffer
	if err == nil {
		err = t.Execute(&b, data)
	}
	if p.err == nil {
		p.err = err
	}
	return b.Bytes()
}

func (p *pack) fill(to, from string, data any) { p.write(to, p.template(from, data), 0o644) }

// gz writes a file packed, without a name or a time in it.
func (p *pack) gz(to string, content []byte) {
	var b bytes.Buffer
	z, _ := gzip.NewWriterLevel(&b, gzip.BestCompression) // the level is good
	z.Write(content)
	z.Close()
	p.write(to, b.Bytes(), 0o644)
}

func (p *pack) program(t target, name string) {
	if p.err != nil {
		return
	}
	to := filepath.Join(p.dir, "usr/bin", name)
	if p.err = os.MkdirAll(filepath.Dir(to), 0o755); p.err == nil {
		p.err = p.compile(t, name, to)
	}
}

// manual has the program, built for this machine, write its own page.
func (p *pack) manual(name string) {
	if p.err != nil {
		return
	}
	cmd := exec.Command("go", "run", "-ldflags", "-X github.com/carrel-kiosk/carrel/cmd/internal/cli.Version="+p.change.version, "./cmd/"+name, "-man")
	cmd.Dir = p.root
	cmd.Stderr = os.Stderr
	page, err := cmd.Output()
	if err != nil {
		p.err = fmt.Errorf("manual page of %s: %w", name, err)
		return
	}
	p.gz("usr/share/man/man8/"+name+".8.gz", page)
}

func (p *pack) maintained(s scripts) {
	for _, name := range []string{"postinst", "prerm", "postrm"} {
		p.write("DEBIAN/"+name, p.template("deploy/debian/"+name, s), 0o755)
	}
}

// end writes what every package has, and packs it.
func (p *pack) end(target, lib string) error {
	doc := "usr/share/doc/" + p.name + "/"
	p.copy(doc+"copyright", "deploy/debian/copyright", 0o644)
	p.gz(doc+"changelog.gz", p.read("deploy/debian/changelog"))
	if p.name == "carrel" {
		p.gz(doc+"NOTICE.gz", p.read("NOTICE"))
	}
	p.sums()
	p.control(lib)
	if p.err == nil {
		p.err = p.even()
	}
	if p.err != nil {
		return p.err
	}
	file := filepath.Join(p.out, fmt.Sprintf("%s_%s_%s.deb", p.name, p.version, p.arch))
	cmd := exec.Command("dpkg-deb", "--root-owner-group", "-Zxz", "--threads-max=1", "--build", p.dir, file)
	cmd.Env = append(os.Environ(), fmt.Sprint("SOURCE_DATE_EPOCH=", p.change.at.Unix()))
	if said, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("dpkg-deb: %w\n%s", err, said)
	}
	info, err := os.Stat(file)
	if err != nil {
		return err
	}
	fmt.Printf("%-8s %s, %.1f MB\n", target, file, float64(info.Size())/1e6)
	return nil
}

// files calls do for all that the package will unpack, in order.
func (p *pack) files(do func(path string, d fs.DirEntry) error) error {
	return filepath.WalkDir(p.dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && d.Name() == "DEBIAN" && filepath.Dir(path) == p.dir {
			return fs.SkipDir
		}
		return do(path, d)
	})
}

// sums writes the sums of all files, by which dpkg --verify finds what an SD
// card has spoilt.
func (p *pack) sums() {
	var b strings.Builder
	err := p.files(func(path string, d fs.DirEntry) error {
		rel, err := filepath.Rel(p.dir, path)
		if err != nil || d.IsDir() || strings.HasPrefix(rel, "etc/") {
			return err
		}
		content, err := os.ReadFile(path)
		fmt.Fprintf(&b, "%x  %s\n", md5.Sum(content), rel)
		return err
	})
	if p.err == nil {
		p.err = err
	}
	p.write("DEBIAN/md5sums", []byte(b.String()), 0o644)
}

// control writes the package's own part of deploy/debian/control, with what
// is known only now.
func (p *pack) control(lib string) {
	size := int64(0)
	err := p.files(func(_ string, d fs.DirEntry) error {
		info, err := d.Info()
		if err == nil && !d.IsDir() {
			size += (info.Size() + 1023) / 1024
		} else {
			size++
		}
		return err
	})
	if p.err == nil {
		p.err = err
	}
	all := strings.Split(string(p.template("deploy/debian/control", struct{ Libc string }{lib})), "\n\n")
	i := slices.IndexFunc(all, func(s string) bool { return strings.HasPrefix(s, "Package: "+p.name+"\n") })
	if i < 0 {
		p.err = fmt.Errorf("deploy/debian/control does not name %s", p.name)
		return
	}
	head, rest, _ := strings.Cut(strings.TrimSpace(all[i]), "\n")
	p.write("DEBIAN/control", fmt.Appendf(nil, "%s\nVersion: %s\nArchitecture: %s\nMaintainer: %s\nInstalled-Size: %d\nHomepage: https://github.com/carrel-kiosk/carrel\n%s\n",
		head, p.version, p.arch, p.change.maintainer, size, rest), 0o644)
}

// even gives every file the time of the change, and folders their rights.
func (p *pack) even() error {
	return filepath.WalkDir(p.dir, func(path string, d fs.DirEntry, err error) error {
		if err == nil && d.IsDir() {
			err = os.Chmod(path, 0o755)
		}
		if err == nil {
			err = os.Chtimes(path, p.change.at, p.change.at)
		}
		return err
	})
}
