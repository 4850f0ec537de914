# What both flavours' images are made of: packages as apt has them, an initramfs, and one MBR disk whose
# first partition boots by UEFI and by BIOS. Sourced by `build`; $packages, $work and $here are its.

# The boot partition begins at 1 MiB; FAT32 (which UEFI asks for on fixed disks) needs 65,525 clusters.
BOOT_MIB=40
FIRST_SECTOR=2048
VOLUME_ID=5AEE1234
DISK_ID=0x5aee5aee

# The console is the only log of an EC2 machine, and quiet but for the first process and the program. The
# rest is time: checks and probes that a virtual machine does not need. A kernel that fails starts anew
# after five seconds.
KERNEL_ARGUMENTS="console=ttyS0,115200n8 loglevel=0 panic=5 8250.nr_uarts=1 tsc=reliable no_timer_check \
hpet=disable rcupdate.rcu_expedited=1 cryptomgr.notests random.trust_cpu=on audit=0 pci=noaer selinux=0"

UEFI_STUB=/usr/lib/systemd/boot/efi/linuxx64.efi.stub
BIOS_BOOT=/usr/lib/syslinux/mbr/mbr.bin

# need TOOL:PACKAGE…: ends the build with what is missing, all at once.
need() {
    missing=
    for pair in "$@"; do
        command -v "${pair%:*}" > /dev/null 2>&1 || [ -e "${pair%:*}" ] || missing="$missing ${pair#*:}"
    done
    [ -z "$missing" ] || { echo "the image needs, of Debian's packages: apt-get install$missing" >&2; exit 1; }
}

# fetch FOLDER PACKAGE=VERSION…: leaves these packages' files there, and nothing else; once.
fetch() {
    place=$1
    shift
    mkdir -p "$place"
    echo "$@" | tr ' ' '\n' > "$place/wanted.new"
    cmp -s "$place/wanted.new" "$place/wanted" && return
    rm -rf "$place"/*.deb "$place/wanted"
    echo "fetching $# of Debian's packages"
    (cd "$place" && apt-get -qq download "$@" 2>&1 | sed '/unsandboxed/d')
    [ "$(find "$place" -name '*.deb' | wc -l)" = $# ] || { echo "apt did not fetch all of: $*" >&2; exit 1; }
    mv "$place/wanted.new" "$place/wanted"
}

# newest PACKAGE: its name and version, as apt has it.
newest() {
    version=$(apt-cache show --no-all-versions "$1" 2> /dev/null | sed -n 's/^Version: //p')
    [ -n "$version" ] || { echo "apt knows no package $1: apt-get update" >&2; exit 1; }
    echo "$1=$version"
}

# Debian's cloud kernel, unpacked into $kernel: the newest that apt knows, or what KERNEL_PACKAGE names.
fetch_kernel() {
    package=${KERNEL_PACKAGE:-$(apt-cache depends linux-image-cloud-amd64 | sed -n 's/.*Depends: \(linux-image-.*\)/\1/p')}
    package=$(newest "${package:-linux-image-cloud-amd64}")
    fetch "$packages/kernel" "$package"
    kernel=$work/kernel
    mkdir "$kernel"
    dpkg-deb -x "$packages"/kernel/*.deb "$kernel"
    cp "$kernel"/boot/vmlinuz-* "$work/vmlinuz"
}

# module NAME: its file.
module() {
    found=$(find "$kernel" -name "$1.ko")
    [ -n "$found" ] || { echo "the kernel has no module $1" >&2; exit 1; }
    echo "$found"
}

# make_initrd < LIST: see initramfs.py.
make_initrd() {
    python3 "$here/initramfs.py" "$SOURCE_DATE_EPOCH" | zstd -19 --quiet > "$work/initrd"
}

# make_boot_partition COMMAND-LINE: kernel and initramfs, once for UEFI and once for BIOS.
make_boot_partition() {
    truncate -s "${BOOT_MIB}M" "$work/boot"
    mkfs.vfat --invariant -F 32 -s 1 -h $FIRST_SECTOR -i $VOLUME_ID -n SHARER "$work/boot" > /dev/null
    printf '%s\n' "DEFAULT sharer" "PROMPT 0" "TIMEOUT 0" "LABEL sharer" "LINUX /vmlinuz" "INITRD /initrd" \
        "APPEND $1" > "$work/syslinux.cfg"
    python3 "$here/uki.py" "$UEFI_STUB" "$work/vmlinuz" "$work/initrd" "$1" "$work/BOOTX64.EFI"
    touch -d "@$SOURCE_DATE_EPOCH" "$work"/vmlinuz "$work"/initrd "$work"/syslinux.cfg "$work"/BOOTX64.EFI
    mmd -i "$work/boot" ::/EFI ::/EFI/BOOT
    mcopy -m -i "$work/boot" "$work/BOOTX64.EFI" ::/EFI/BOOT/
    mcopy -m -i "$work/boot" "$work/vmlinuz" "$work/initrd" "$work/syslinux.cfg" ::/
    syslinux --install "$work/boot"
}

# make_disk DISK [ROOT]: the boot partition and, where there is one, that of the root file system.
make_disk() {
    root_mib=0
    [ $# = 1 ] || root_mib=$(($(stat -c %s "$2") / 1048576 + 1))
    rm -f "$1" "$1.zst"
    truncate -s $((1 + BOOT_MIB + root_mib))M "$1"
    {
        printf 'label: dos\nlabel-id: %s\n' $DISK_ID
        printf 'start=%s, size=%sMiB, type=ef, bootable\n' $FIRST_SECTOR $BOOT_MIB
        [ $# = 1 ] || echo "type=83"
    } | sfdisk --quiet --no-tell-kernel "$1"
    dd if=$BIOS_BOOT of="$1" bs=440 count=1 conv=notrunc status=none
    dd if="$work/boot" of="$1" bs=1M seek=1 conv=notrunc,sparse status=none
    [ $# = 1 ] || dd if="$2" of="$1" bs=1M seek=$((1 + BOOT_MIB)) conv=notrunc,sparse status=none
}

# sizes FILE…
sizes() {
    for file in "$@"; do
        printf '%-36s %6.2f MB\n' "$(basename "$file")" "$(stat -c %s "$file" | awk '{ print $1 / 1e6 }')"
    done
}
