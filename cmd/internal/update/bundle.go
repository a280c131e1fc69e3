// Package update puts a new version of the kiosk's programs in the place of the
// old one, and the old one back if the new one does not work.
//
// A bundle is a line "carrel-update 1", a line with a signature in base64, and
// an archive (tar, gzip) with manifest.json and the programs. The signature is
// Ed25519ph (RFC 8032, section 5.1) over the archive, with the first line as
// its context: nothing of an archive is read before it is known whose it is.
package update

import (
	"archive/tar"
	"bufio"
	"compress/gzip"
	"crypto"
	"crypto/ed25519"
	"crypto/sha512"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
)

const (
	intro       = "carrel-update 1\n"
	mostProgram = 256 << 20 // bytes
)

// Programs are what a bundle holds.
var Programs = []string{"kioskd", "kioskctl"}

// Errors of a bundle.
var (
	ErrSignature = errors.New("it is not signed with a key of this library")
	ErrOther     = errors.New("it is not for this machine")
	ErrOlder     = errors.New("it is no newer than what runs")
)

// Manifest says what is in a bundle.
type Manifest struct {
	Version string `json:"version"`
	Arch    string `json:"arch"`
}

var versionForm = regexp.MustCompile(`^\d{1,6}(\.\d{1,6}){0,3}$`)

// newer compares versions as numbers with dots; what has another form is
// older than all.
func newer(a, b string) bool {
	numbers := func(s string) (list []int) {
		if !versionForm.MatchString(s) {
			return nil
		}
		for part := range strings.SplitSeq(s, ".") {
			n, _ := strconv.Atoi(part)
			list = append(list, n)
		}
		for len(list) > 1 && list[len(list)-1] == 0 {
			list = list[:len(list)-1]
		}
		return list
	}
	return slices.Compare(numbers(a), numbers(b)) > 0
}

// Arch is the machine that this program was built for.
func Arch() string {
	if info, ok := debug.ReadBuildInfo(); ok && runtime.GOARCH == "arm" {
		for _, s := range info.Settings {
			if s.Key == "GOARM" {
				return "armv" + s.Value[:min(1, len(s.Value))]
			}
		}
	}
	return runtime.GOARCH
}

var signing = &ed25519.Options{Hash: crypto.SHA512, Context: strings.TrimSpace(intro)}

// Pack writes a bundle of the programs in a folder.
func Pack(to string, m Manifest, folder string, key ed25519.PrivateKey) (err error) {
	if !versionForm.MatchString(m.Version) {
		return fmt.Errorf("version %q: must be numbers with dots", m.Version)
	}
	archive, err := os.CreateTemp(filepath.Dir(to), ".update-")
	if err != nil {
		return err
	}
	defer os.Remove(archive.Name())
	defer archive.Close()
	sum := sha512.New()
	if err := pack(io.MultiWriter(archive, sum), m, folder); err != nil {
		return err
	}
	sig, err := key.Sign(nil, sum.Sum(nil), signing)
	if err != nil {
		return err
	}
	out, err := os.OpenFile(to, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(out, "%s%s\n", intro, base64.StdEncoding.EncodeToString(sig))
	if err == nil {
		_, err = archive.Seek(0, io.SeekStart)
	}
	if err == nil {
		_, err = io.Copy(out, archive)
	}
	return errors.Join(err, out.Sync(), out.Close())
}

func pack(w io.Writer, m Manifest, folder string) error {
	z := gzip.NewWriter(w)
	t := tar.NewWriter(z)
	put := func(name string, mode int64, content []byte) error {
		if err := t.WriteHeader(&tar.Header{Name: name, Mode: mode, Size: int64(len(content)), Typeflag: tar.TypeReg}); err != nil {
			return err
		}
		_, err := t.Write(content)
		return err
	}
	raw, err := json.Marshal(m)
	if err == nil {
		err = put("manifest.json", 0o644, raw)
	}
	for _, name := range Programs {
		content, e := os.ReadFile(filepath.Join(folder, name))
		if err = errors.Join(err, e); err == nil {
			err = put(name, 0o755, content)
		}
	}
	return errors.Join(err, t.Close(), z.Close())
}

// check reads up to the archive, if it is signed with one of the keys; then r
// stands at its begin.
func check(r *os.File, keys []ed25519.PublicKey) error {
	head := make([]byte, len(intro)+base64.StdEncoding.EncodedLen(ed25519.SignatureSize)+1)
	if _, err := io.ReadFull(r, head); err != nil || string(head[:len(intro)]) != intro || head[len(head)-1] != '\n' {
		return errors.New("it is no bundle")
	}
	sig, err := base64.StdEncoding.DecodeString(string(head[len(intro) : len(head)-1]))
	if err != nil {
		return errors.New("it is no bundle")
	}
	sum := sha512.New()
	if _, err := io.Copy(sum, r); err != nil {
		return err
	}
	digest := sum.Sum(nil)
	if !slices.ContainsFunc(keys, func(k ed25519.PublicKey) bool { return ed25519.VerifyWithOptions(k, digest, sig, signing) == nil }) {
		return ErrSignature
	}
	_, err = r.Seek(int64(len(head)), io.SeekStart)
	return err
}

// unpack writes the programs of a checked archive into a new folder.
func unpack(r io.Reader, to string) (m Manifest, err error) {
	z, err := gzip.NewReader(bufio.NewReader(r))
	if err != nil {
		return m, err
	}
	t := tar.NewReader(z)
	got := map[string]bool{}
	for {
		h, err := t.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return m, err
		}
		switch {
		case h.Typeflag != tar.TypeReg || h.Size > mostProgram || got[h.Name]:
			return m, fmt.Errorf("%q has no place in a bundle", h.Name)
		case h.Name == "manifest.json":
			err = json.NewDecoder(io.LimitReader(t, 1<<12)).Decode(&m)
		case slices.Contains(Programs, h.Name):
			err = program(filepath.Join(to, h.Name), t)
		default:
			err = fmt.Errorf("%q has no place in a bundle", h.Name)
		}
		if err != nil {
			return m, err
		}
		got[h.Name] = true
	}
	for _, name := range append([]string{"manifest.json"}, Programs...) {
		if !got[name] {
			return m, fmt.Errorf("it lacks %s", name)
		}
	}
	if !versionForm.MatchString(m.Version) {
		return m, fmt.Errorf("version %q: must be numbers with dots", m.Version)
	}
	return m, nil
}

func program(path string, r io.Reader) error {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o755)
	if err != nil {
		return err
	}
	_, err = io.Copy(f, r)
	return errors.Join(err, f.Sync(), f.Close())
}
