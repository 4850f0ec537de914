# The minimal flavour: an initramfs with an init of ours, the program and eleven modules is all there is; the
# disk is read at boot alone. Sourced by `build`.

FLAVOUR_NEEDS=

# What the initramfs holds: init, the program, and the modules that init asks for.
list() {
    for directory in bin dev etc lib lib/modules proc root run sys tmp; do echo "dir $directory 755"; done
    echo "char dev/console 600 5 1"
    echo "file init 755 $tools/image-init"
    echo "file bin/$name 755 $program"
    for name_of_module in $("$tools/image-init" --modules); do
        echo "file lib/modules/$name_of_module.ko 644 $(module "$name_of_module")"
    done
}

make_image() {
    list > "$work/list"
    make_initrd < "$work/list"
    make_boot_partition "$KERNEL_ARGUMENTS -- /bin/$name"
    make_disk "$1"
}
