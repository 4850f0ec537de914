# The Debian flavour: Debian's systemd, the hardened unit and the program, on a read-only squashfs over which
# a file system in memory is laid: a machine that starts anew is as new. Sourced by `build`.
#
# Packages are unpacked and not configured: nothing of theirs is run, so that no root is needed and the bytes
# are the same each time. No shell, no login and no package manager is in it.
#
# For a test's machine PROGRAM may be `none`; MORE_PACKAGES and MORE_FILES (a folder) are added to it.

FLAVOUR_NEEDS="mksquashfs:squashfs-tools depmod:kmod"

# What the machine is made of; apt adds what these depend on.
PACKAGES="base-files base-passwd systemd systemd-sysv systemd-resolved systemd-timesyncd udev dbus"

# What of that is for the installation of packages and for logins alone.
LEFT_OUT="perl|perl-base|perl-modules-.*|libperl.*|lib.*-perl|usrmerge|debconf|passwd|adduser|dpkg|tar|libgdbm.*|\
libdb5.*|libsemanage.*|libsepol.*|init-system-helpers|gcc-.*-base|libaudit-common|dbus-bin|\
dbus-session-bus-common|libfdisk1|libsmartcols1|libdevmapper.*|dmsetup|libargon2-1|libjson-c5"

# Drivers that systemd's udev loads where their devices are, and what the root file system needs.
MODULES="autofs4 button ena evdev overlay squashfs virtio_blk virtio_net virtio_pci"

# What is removed from the packages, besides all documents but the licences.
TRIMMED="usr/share/man usr/share/locale usr/share/lintian usr/share/bash-completion usr/share/zsh \
usr/share/polkit-1 usr/share/bug usr/share/initramfs-tools usr/share/pam* usr/share/base-files usr/share/gcc \
usr/share/base-passwd usr/lib/x86_64-linux-gnu/gconv usr/lib/x86_64-linux-gnu/security \
usr/lib/x86_64-linux-gnu/libmvec.so.1 usr/lib/udev/hwdb.d usr/lib/systemd/catalog usr/lib/systemd/user* \
usr/lib/systemd/system-generators etc/init.d etc/rc?.d etc/cron* etc/pam.d etc/security etc/profile* etc/X11"

# The only programs that anyone may call by name; the services' own are in /usr/lib.
PROGRAMS="dbus-daemon journalctl mount systemctl systemd-tmpfiles udevadm umount"

# What Debian starts at each boot and a machine without people, swap and a disk of its own has no use for.
UNWANTED="*getty* *ask-password* *cryptsetup* *veritysetup* *integritysetup* cryptdisks* dev-*.mount \
kmod-static-nodes.service proc-sys-fs-binfmt_misc.automount remote-* sys-*.mount systemd-binfmt.service \
systemd-firstboot.service systemd-hwdb-update.service systemd-initctl.socket systemd-machine-id-commit.service \
systemd-pcrphase* systemd-pstore.service systemd-random-seed.service systemd-repart.service \
systemd-rfkill* systemd-sysext.service systemd-sysusers.service systemd-update-utmp* systemd-boot-*"

# Debian's services that run, each with the target that wants it.
WANTED="systemd-networkd.service:multi-user.target systemd-resolved.service:multi-user.target \
systemd-timesyncd.service:sysinit.target systemd-networkd.socket:sockets.target \
systemd-networkd-wait-online.service:network-online.target"

# Users of these services, and groups that udev's rules give devices to, with numbers that stay.
USERS="messagebus:101 systemd-network:102 systemd-resolve:103 systemd-timesync:104"
GROUPS_BESIDES="systemd-journal:110 input:111 kvm:112 render:113 sgx:114"

# packages: NAME=VERSION of all that is unpacked onto the root.
packages() {
    apt-get -qq -o Dir::State::status=/dev/null -o Debug::NoLocking=1 --no-install-recommends --print-uris --yes \
        install $PACKAGES | awk '{ print $2 }' | sed -e 's/_[^_]*$//' -e 's/%3a/:/' -e 's/_/=/' |
        grep -Ev "^($LEFT_OUT)=" | LC_ALL=C sort
    for package in ${MORE_PACKAGES:-}; do
        newest "$package"
    done
}

unpack() {
    for place in bin sbin lib lib64; do
        mkdir -p "$root/usr/$place"
        ln -s "usr/$place" "$root/$place"
    done
    for package in "$packages/$1"/*.deb; do
        dpkg-deb --fsys-tarfile "$package" | tar -x -C "$root" --keep-directory-symlink --no-same-owner
    done
}

trim() {
    cp "$root/usr/share/base-passwd/passwd.master" "$root/etc/passwd"
    cp "$root/usr/share/base-passwd/group.master" "$root/etc/group"
    find "$root/usr/share/doc" ! -type d ! -name copyright -delete
    find "$root/usr/share/doc" -type d -empty -delete
    (cd "$root" && rm -rf $TRIMMED)
    # By their files; links such as poweroff lead to those that are kept, or go. A test's packages are kept whole.
    if [ -z "${MORE_PACKAGES:-}" ]; then
        find "$root/usr/bin" "$root/usr/sbin" -type f $(printf ' ! -name %s' $PROGRAMS) -delete
        find "$root/usr/bin" "$root/usr/sbin" -xtype l ! -lname '/*' -delete
    fi
    for unit in $UNWANTED; do
        find "$root/usr/lib/systemd/system" "$root/etc/systemd/system" -path "*.wants/$unit" -delete
    done
    find "$root" -type f -perm /6000 -exec chmod u-s,g-s {} +
}

# want UNIT TARGET: what `systemctl enable` would do.
want() {
    mkdir -p "$root/etc/systemd/system/$2.wants"
    ln -s "/usr/lib/systemd/system/$1" "$root/etc/systemd/system/$2.wants/$1"
}

configure() {
    cp -R "$here/debian/." "$root/"
    for user in $USERS; do
        echo "${user%:*}:*:${user#*:}:${user#*:}::/nonexistent:/usr/sbin/nologin" >> "$root/etc/passwd"
        echo "${user%:*}:*:${user#*:}:" >> "$root/etc/group"
    done
    for group in $GROUPS_BESIDES; do
        echo "${group%:*}:*:${group#*:}:" >> "$root/etc/group"
    done
    # Each machine finds a number of its own when it starts.
    : > "$root/etc/machine-id"
    ln -sf /run/systemd/resolve/resolv.conf "$root/etc/resolv.conf"
    rm -rf "$root/var/run" "$root/var/lock"
    ln -s /run "$root/var/run"
    ln -s /run/lock "$root/var/lock"
    ln -sf /proc/self/mounts "$root/etc/mtab"
    ln -sf multi-user.target "$root/usr/lib/systemd/system/default.target"
    for unit in $WANTED; do
        want "${unit%:*}" "${unit#*:}"
    done
}

install_program() {
    units=$root/usr/lib/systemd/system
    mkdir -p "$root/usr/lib/image-sharer" "$units/$name.service.d"
    cp "$program" "$root/usr/bin/$name"
    cp "$tools/image-unit" "$root/usr/lib/image-sharer/"
    cp "$here/../systemd/$name.service" "$units/"
    cp "$here/debian.conf" "$units/$name.service.d/image.conf"
    want "$name.service" multi-user.target
}

# in_order MODULE…: these and what they need, each after what it needs; some twice.
in_order() {
    while [ $# -gt 0 ]; do
        in_order $(modinfo -F depends "$(module "$1")" | tr ',' ' ')
        echo "$1"
        shift
    done
}

install_modules() {
    version=$(basename "$kernel"/lib/modules/*)
    target=$root/usr/lib/modules/$version
    mkdir -p "$target/kernel"
    cp "$kernel/lib/modules/$version"/modules.builtin* "$kernel/lib/modules/$version/modules.order" "$target/"
    for wanted in $(in_order $MODULES); do
        cp "$(module "$wanted")" "$target/kernel/"
    done
    depmod -b "$root/usr" "$version" 2> /dev/null || depmod -b "$root" "$version"
}

# What finds the root file system: busybox, a script, and the modules that it needs.
list() {
    for directory in bin dev etc lib lib/modules lower proc root sys upper; do echo "dir $directory 755"; done
    echo "char dev/console 600 5 1"
    echo "file init 755 $here/debian-init"
    echo "file bin/busybox 755 $work/busybox/bin/busybox"
    in_order squashfs overlay virtio_pci virtio_blk | awk '!seen[$0]++' > "$work/modules"
    echo "file etc/modules 644 $work/modules"
    while read -r wanted; do
        echo "file lib/modules/$wanted.ko 644 $(module "$wanted")"
    done < "$work/modules"
}

make_image() {
    root=$work/root
    mkdir "$root"
    fetch "$packages/$name" $(packages)
    fetch "$packages/busybox" "$(newest busybox-static)"
    dpkg-deb -x "$packages"/busybox/*.deb "$work/busybox"
    unpack "$name"
    trim
    configure
    [ "$name" = none ] || install_program
    [ -z "${MORE_FILES:-}" ] || cp -R "$MORE_FILES/." "$root/"
    install_modules
    find "$root" -exec touch -h -d "@$SOURCE_DATE_EPOCH" {} +
    mksquashfs "$root" "$work/squashfs" -comp zstd -Xcompression-level 19 -all-root -no-xattrs -quiet -no-progress
    list > "$work/list"
    make_initrd < "$work/list"
    make_boot_partition "$KERNEL_ARGUMENTS"
    make_disk "$1" "$work/squashfs"
    sort "$packages/$name/wanted" "$packages/busybox/wanted" "$packages/kernel/wanted" \
        > "${1%.raw}.packages"
}
