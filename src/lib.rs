//! moveroot, the `/init` of a microVM's initramfs.
#![no_std]
