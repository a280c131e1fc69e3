// Package seal encrypts copies of the ledger to a key of the library, in the
// format of age (https://age-encryption.org/v1): a kiosk, a USB stick or a
// server that holds such a copy can't read it. Only who has the other half of
// the key can, which is made with age-keygen and stays off the kiosk.
package seal

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"filippo.io/age"
	"golang.org/x/sys/unix"
)

// intro is how each sealed file begins.
const intro = "age-encryption.org/v1\n"

// Keys reads the public halves, "age1...".
func Keys(texts []string) ([]age.Recipient, error) {
	var keys []age.Recipient
	for _, text := range texts {
		if strings.HasPrefix(text, "AGE-SECRET-KEY-") {
			return nil, errors.New("this is the secret half of a key: take it off this machine; the public half begins with age1")
		}
		k, err := age.ParseHybridRecipient(text)
		if err == nil {
			keys = append(keys, k)
			continue
		}
		x, err := age.ParseX25519Recipient(text)
		if err != nil {
			return nil, fmt.Errorf("%q is no key of age: age-keygen makes one, and says its public half", text)
		}
		keys = append(keys, x)
	}
	return keys, nil
}

// Seal writes an encrypted copy of a file to a path that must not exist. It
// appears there once it is complete and synced.
func Seal(from, to string, keys []age.Recipient) (err error) {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	part := to + ".part"
	out, err := os.OpenFile(part, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer os.Remove(part)
	defer out.Close()
	w, err := age.Encrypt(out, keys...)
	if err == nil {
		_, err = io.Copy(w, in)
	}
	if err == nil {
		err = errors.Join(w.Close(), out.Sync())
	}
	if err != nil {
		return fmt.Errorf("%s: %w", to, err)
	}
	if err := unix.Renameat2(unix.AT_FDCWD, part, unix.AT_FDCWD, to, unix.RENAME_NOREPLACE); err != nil {
		return fmt.Errorf("%s: %w", to, err)
	}
	return syncFolder(filepath.Dir(to))
}

func syncFolder(path string) error {
	d, err := os.Open(path)
	if err != nil {
		return err
	}
	defer d.Close()
	return d.Sync()
}

// Sealed tells whether a file is a sealed one.
func Sealed(path string) (bool, error) {
	f, err := os.Open(path)
	if err != nil {
		return false, err
	}
	defer f.Close()
	head := make([]byte, len(intro))
	n, err := io.ReadFull(f, head)
	if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
		return false, err
	}
	return string(head[:n]) == intro, nil
}

// Open writes what a sealed file holds to a path that must not exist. secrets
// is a file with the secret halves of keys, as age-keygen writes it. Nothing
// stays at the path if not all of it could be read.
func Open(from, to, secrets string) (err error) {
	kf, err := os.Open(secrets)
	if err != nil {
		return err
	}
	defer kf.Close()
	ids, err := age.ParseIdentities(kf)
	if err != nil {
		return fmt.Errorf("%s: %w", secrets, err)
	}
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	r, err := age.Decrypt(bufio.NewReader(in), ids...)
	if _, none := errors.AsType[*age.NoIdentityMatchError](err); none {
		return fmt.Errorf("%s was sealed to another key than those in %s", from, secrets)
	}
	if err != nil {
		return fmt.Errorf("%s is damaged: %w", from, err)
	}
	out, err := os.OpenFile(to, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer out.Close()
	if _, err = io.Copy(out, r); err == nil {
		err = out.Sync()
	}
	if err != nil {
		return errors.Join(fmt.Errorf("%s is damaged: %w", from, err), os.Remove(to))
	}
	return nil
}
