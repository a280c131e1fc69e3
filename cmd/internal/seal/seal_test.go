package seal

import (
	"bytes"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"filippo.io/age"
)

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// key makes one, and a file with its secret half.
func key(t *testing.T, dir, name string) (public, secrets string) {
	t.Helper()
	k, err := age.GenerateX25519Identity()
	must(t, err)
	secrets = filepath.Join(dir, name)
	must(t, os.WriteFile(secrets, []byte("# public key: "+k.Recipient().String()+"\n"+k.String()+"\n"), 0o600))
	return k.Recipient().String(), secrets
}

func TestKeys(t *testing.T) {
	public, secrets := key(t, t.TempDir(), "k")
	hybrid, err := age.GenerateHybridIdentity()
	must(t, err)
	if k, err := Keys([]string{public, hybrid.Recipient().String()}); len(k) != 2 || err != nil {
		t.Errorf("Keys() = %v, %v", k, err)
	}
	secret, _ := os.ReadFile(secrets)
	for text, want := range map[string]string{
		"":                                "age-keygen",
		"age1nonsense":                    "age-keygen",
		"ssh-ed25519 AAAA":                "age-keygen",
		strings.Fields(string(secret))[4]: "secret half",
	} {
		if _, err := Keys([]string{text}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("Keys(%q) = %v; want %q", text, err, want)
		}
	}
}

func TestSealAndOpen(t *testing.T) {
	dir := t.TempDir()
	at := func(name string) string { return filepath.Join(dir, name) }
	public, secrets := key(t, dir, "ours")
	_, others := key(t, dir, "theirs")
	keys, err := Keys([]string{public})
	must(t, err)
	r := rand.NewChaCha8([32]byte{})
	for i, size := range []int{0, 1, 70_000, 1 << 20} {
		plain := make([]byte, size)
		r.Read(plain)
		from, sealed, back := at("plain"), at("sealed")+string(rune('a'+i)), at("back")+string(rune('a'+i))
		must(t, os.WriteFile(from, plain, 0o600))
		must(t, Seal(from, sealed, keys))
		if is, err := Sealed(sealed); !is || err != nil {
			t.Fatalf("Sealed() = %v, %v", is, err)
		}
		if is, err := Sealed(from); is || err != nil {
			t.Fatalf("Sealed(plain) = %v, %v", is, err)
		}
		must(t, Open(sealed, back, secrets))
		if got, _ := os.ReadFile(back); !bytes.Equal(got, plain) {
			t.Fatalf("of %d bytes came back others", size)
		}
		if err := Seal(from, sealed, keys); err == nil {
			t.Error("a copy took the place of another")
		}
		if err := Open(sealed, at("no"), others); err == nil || !strings.Contains(err.Error(), "another key") {
			t.Errorf("Open() with another key = %v", err)
		}
	}
	if left, _ := filepath.Glob(at("*.part")); len(left) > 0 {
		t.Errorf("%q is left", left)
	}
}

// TestDamaged: a sealed file that is cut or changed anywhere gives an error and
// leaves nothing behind.
func TestDamaged(t *testing.T) {
	dir := t.TempDir()
	at := func(name string) string { return filepath.Join(dir, name) }
	public, secrets := key(t, dir, "ours")
	keys, _ := Keys([]string{public})
	must(t, os.WriteFile(at("plain"), bytes.Repeat([]byte("loan "), 40_000), 0o600))
	must(t, Seal(at("plain"), at("sealed"), keys))
	sealed, err := os.ReadFile(at("sealed"))
	must(t, err)
	bad := func(what string, content []byte) {
		t.Helper()
		must(t, os.WriteFile(at("bad"), content, 0o600))
		if err := Open(at("bad"), at("out"), secrets); err == nil {
			t.Errorf("%s: no error", what)
		}
		if _, err := os.Stat(at("out")); err == nil {
			t.Fatalf("%s: what could be read was left behind", what)
		}
	}
	for i := 0; i < len(sealed); i += 1 + len(sealed)/60 {
		bad("cut", sealed[:i])
		changed := bytes.Clone(sealed)
		changed[i] ^= 1
		bad("changed", changed)
	}
	bad("more", append(bytes.Clone(sealed), 'x'))
}
