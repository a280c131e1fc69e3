package vm

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// Kernel is one of Debian's, unpacked.
type Kernel struct {
	Arch    *Arch
	Package string // linux-image-6.1.0-57-arm64
	Image   string // the file to boot
	Modules string // the folder that modules.dep speaks of
}

// needed are the programs that the bench runs whatever the machine, with
// Debian's package of each.
var needed = map[string]string{
	"apt-get": "apt",
	"dpkg":    "dpkg",
	"depmod":  "kmod",
	"mke2fs":  "e2fsprogs",
	"e2fsck":  "e2fsprogs",
	"debugfs": "e2fsprogs",
}

// Missing says what this machine lacks to run the bench, and how to get it;
// nil if it lacks nothing.
func (a *Arch) Missing() error {
	var programs, packages []string
	all := maps.Clone(needed)
	maps.Copy(all, a.needed)
	for program, pack := range all {
		if _, err := exec.LookPath(program); err == nil {
			continue
		}
		if _, err := os.Stat("/usr/sbin/" + program); err == nil { // a user's PATH lacks it
			continue
		}
		programs, packages = append(programs, program), append(packages, pack)
	}
	if len(programs) == 0 {
		return nil
	}
	slices.Sort(programs)
	slices.Sort(packages)
	return fmt.Errorf("%s: not here; on Debian: apt-get install --no-install-recommends %s",
		strings.Join(programs, ", "), strings.Join(slices.Compact(packages), " "))
}

// FetchKernel gives the kernel that lies in folder cache. If there is none it
// is taken from this machine's Debian mirror, 60 MB, without a change to what
// is installed: apt gets lists of its own. To have a newer one, delete cache.
func FetchKernel(ctx context.Context, a *Arch, cache string, say func(string, ...any)) (Kernel, error) {
	if k, err := cached(a, cache); err == nil {
		return k, nil
	}
	work, err := filepath.Abs(filepath.Join(cache, "apt"))
	if err != nil {
		return Kernel{}, err
	}
	defer os.RemoveAll(work)
	for _, d := range []string{"lists/partial", "cache/archives/partial", "root"} {
		if err := os.MkdirAll(filepath.Join(work, d), 0o755); err != nil {
			return Kernel{}, err
		}
	}
	name, err := download(ctx, a, work, say)
	if err != nil {
		return Kernel{}, err
	}
	debs, err := filepath.Glob(filepath.Join(work, name+"_*.deb"))
	if err != nil || len(debs) != 1 {
		return Kernel{}, fmt.Errorf("%s: apt has fetched %d packages of that name", name, len(debs))
	}
	root := filepath.Join(work, "root")
	if _, err := command(ctx, work, "dpkg", "-x", debs[0], root); err != nil {
		return Kernel{}, err
	}
	if _, err := command(ctx, work, "depmod", "-b", root, strings.TrimPrefix(name, "linux-image-")); err != nil {
		return Kernel{}, err
	}
	if err := os.Rename(root, filepath.Join(cache, name)); err != nil {
		return Kernel{}, err
	}
	return cached(a, cache)
}

// kernelDependency is how the package that stands for the newest kernel names it.
func (a *Arch) kernelDependency() *regexp.Regexp {
	return regexp.MustCompile(`(?m)^\s*Depends: (linux-image-[0-9]\S*-` + a.Name + `)$`)
}

func download(ctx context.Context, a *Arch, work string, say func(string, ...any)) (name string, err error) {
	apt := func(program string, args ...string) (string, error) {
		options := []string{"-qq", "-o", "APT::Architecture=" + a.Name, "-o", "APT::Architectures=" + a.Name, "-o", "APT::Sandbox::User=",
			"-o", "Dir::State::status=/dev/null", "-o", "Dir::State::lists=" + work + "/lists", "-o", "Dir::Cache=" + work + "/cache"}
		return command(ctx, work, program, append(options, args...)...)
	}
	if _, err := apt("apt-get", "update"); err != nil {
		return "", err
	}
	out, err := apt("apt-cache", "depends", "linux-image-"+a.Name)
	if err != nil {
		return "", err
	}
	found := a.kernelDependency().FindStringSubmatch(out)
	if found == nil {
		return "", fmt.Errorf("linux-image-%s depends on no kernel: %q", a.Name, out)
	}
	say("fetching %s", found[1])
	_, err = apt("apt-get", "download", found[1])
	return found[1], err
}

// cached finds the newest kernel of a folder.
func cached(a *Arch, cache string) (Kernel, error) {
	images, err := filepath.Glob(filepath.Join(cache, "linux-image-*-"+a.Name, "boot", "vmlinuz-*"))
	if err != nil || len(images) == 0 {
		return Kernel{}, errors.Join(err, os.ErrNotExist)
	}
	image := images[len(images)-1]
	root := filepath.Dir(filepath.Dir(image))
	release := strings.TrimPrefix(filepath.Base(image), "vmlinuz-")
	for _, modules := range []string{filepath.Join(root, "lib/modules", release), filepath.Join(root, "usr/lib/modules", release)} {
		if _, err := os.Stat(filepath.Join(modules, "modules.dep")); err == nil {
			return Kernel{Arch: a, Package: filepath.Base(root), Image: image, Modules: modules}, nil
		}
	}
	return Kernel{}, os.ErrNotExist
}

// command runs a program in a folder and gives what it says; an error has the
// end of that.
func command(ctx context.Context, dir, program string, args ...string) (string, error) {
	if _, err := exec.LookPath(program); err != nil {
		program = "/usr/sbin/" + program
	}
	cmd := exec.CommandContext(ctx, program, args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "LC_ALL=C")
	out, err := cmd.CombinedOutput()
	if err != nil {
		tail := out[max(0, len(out)-2000):]
		return "", fmt.Errorf("%s: %w\n%s", filepath.Base(program), err, tail)
	}
	return string(out), nil
}
