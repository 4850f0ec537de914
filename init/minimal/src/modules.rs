//! Which kernel modules this machine needs, by what is on its PCI bus, and loads them.
//!
//! NVMe and the serial console are built into Debian's cloud kernel; network and power button are not.

use std::ffi::CStr;
use std::fs::{self, File};
use std::io;
use std::path::Path;

use rustix::system::finit_module;

/// Where the image holds the modules, one file each, without the kernel's folders.
const FOLDER: &str = "/lib/modules";

/// Where the kernel lists the PCI devices.
pub const PCI_DEVICES: &str = "/sys/bus/pci/devices";

/// The power button, and the device files on which its presses are read.
const POWER: [&str; 2] = ["evdev", "button"];

/// EC2's Elastic Network Adapter.
const ENA: [&str; 1] = ["ena"];

/// QEMU's and most other hosts' network adapter, with what it needs, in that order.
const VIRTIO_NET: [&str; 8] = [
    "virtio_ring",
    "virtio",
    "virtio_pci_modern_dev",
    "virtio_pci_legacy_dev",
    "virtio_pci",
    "failover",
    "net_failover",
    "virtio_net",
];

/// What identifies a PCI device.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Device {
    /// PCI vendor, `0x1d0f` for Amazon.
    pub vendor: u16,
    /// The vendor's number for it.
    pub device: u16,
}

/// All modules that an image must hold.
pub fn all() -> impl Iterator<Item = &'static str> {
    POWER.into_iter().chain(ENA).chain(VIRTIO_NET)
}

/// The modules for these devices, in the order in which they must be loaded; each once.
///
/// Vendor and device numbers: the kernel's `include/linux/pci_ids.h`, `ena_pci_id_tbl.h` and
/// `virtio_pci_*.c` (a virtio device is `0x1000` + n where it is of the older form, `0x1040` + its
/// type in the newer one; a network adapter's type is 1).
pub fn choose(devices: &[Device]) -> Vec<&'static str> {
    let mut modules = POWER.to_vec();
    let mut add = |chain: &[&'static str]| {
        let new: Vec<_> = chain.iter().filter(|name| !modules.contains(name)).copied().collect();
        modules.extend(new);
    };
    for Device { vendor, device } in devices {
        match (vendor, device) {
            (0x1d0f, 0x0ec2 | 0x1ec2 | 0xec20 | 0xec21 | 0x0051) => add(&ENA),
            (0x1af4, 0x1000 | 0x1041) => add(&VIRTIO_NET),
            _ => {}
        }
    }
    modules
}

/// The devices below `folder`; one that can't be read is left out.
pub fn devices(folder: &Path) -> Vec<Device> {
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    let number = |path: &Path, name: &str| {
        let text = fs::read_to_string(path.join(name)).ok()?;
        u16::from_str_radix(text.trim().strip_prefix("0x")?, 16).ok()
    };
    let device =
        |path: &Path| Some(Device { vendor: number(path, "vendor")?, device: number(path, "device")? });
    entries.filter_map(|entry| device(&entry.ok()?.path())).collect()
}

/// Loads one module.
///
/// # Errors
/// When the image lacks it or the kernel refuses it; one that is loaded already is none.
pub fn load(name: &str) -> io::Result<()> {
    let file = File::open(format!("{FOLDER}/{name}.ko"))?;
    const NO_PARAMETERS: &CStr = c"";
    match finit_module(&file, NO_PARAMETERS, 0) {
        Ok(()) | Err(rustix::io::Errno::EXIST) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CHIPSET: Device = Device { vendor: 0x8086, device: 0x1237 };
    const NVME_OF_EC2: Device = Device { vendor: 0x1d0f, device: 0x8061 };
    const ENA_OF_EC2: Device = Device { vendor: 0x1d0f, device: 0xec20 };
    const VIRTIO_DISK: Device = Device { vendor: 0x1af4, device: 0x1001 };
    const VIRTIO_NIC: Device = Device { vendor: 0x1af4, device: 0x1000 };
    const VIRTIO_NIC_1: Device = Device { vendor: 0x1af4, device: 0x1041 };

    #[test]
    fn on_ec2_the_network_adapter_is_ena() {
        assert_eq!(choose(&[CHIPSET, NVME_OF_EC2, ENA_OF_EC2]), ["evdev", "button", "ena"]);
    }

    #[test]
    fn in_qemu_it_is_virtio_after_what_it_needs() {
        for nic in [VIRTIO_NIC, VIRTIO_NIC_1] {
            let modules = choose(&[CHIPSET, VIRTIO_DISK, nic, nic]);
            assert_eq!(modules[..2], POWER);
            assert_eq!(modules[2..], VIRTIO_NET);
        }
    }

    #[test]
    fn a_disk_alone_needs_no_module_of_the_network() {
        assert_eq!(choose(&[CHIPSET, NVME_OF_EC2, VIRTIO_DISK]), POWER);
    }

    #[test]
    fn whatever_is_chosen_is_in_the_image() {
        let image: Vec<_> = all().collect();
        assert!(choose(&[ENA_OF_EC2, VIRTIO_NIC]).iter().all(|name| image.contains(name)));
    }

    #[test]
    fn devices_are_read_from_the_kernels_list() {
        let folder = std::env::temp_dir().join(format!("image-init-pci-{}", std::process::id()));
        for (slot, vendor, device) in [("a", "0x1d0f\n", "0xec20\n"), ("b", "nonsense", "0x1\n")] {
            fs::create_dir_all(folder.join(slot)).unwrap();
            fs::write(folder.join(slot).join("vendor"), vendor).unwrap();
            fs::write(folder.join(slot).join("device"), device).unwrap();
        }
        assert_eq!(devices(&folder), [ENA_OF_EC2]);
        fs::remove_dir_all(&folder).unwrap();
        assert_eq!(devices(&folder), []);
    }
}
