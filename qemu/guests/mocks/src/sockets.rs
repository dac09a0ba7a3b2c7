//! Sockets that agents open before they serve anything.

use std::os::fd::{AsRawFd, OwnedFd};

use anyhow::{Context, Result, ensure};
use nix::libc;
use nix::sys::socket::{
    AddressFamily, Backlog, SockFlag, SockType, SockaddrLike, VsockAddr, bind, connect, listen, socket,
};

/// Where the agent serves its host. Fails where the kernel has no vsock.
pub fn listen_to_vsock(port: u32) -> Result<OwnedFd> {
    let open = || -> nix::Result<OwnedFd> {
        let listener = socket(AddressFamily::Vsock, SockType::Stream, SockFlag::SOCK_CLOEXEC, None)?;
        bind(listener.as_raw_fd(), &VsockAddr::new(libc::VMADDR_CID_ANY, port))?;
        listen(&listener, Backlog::new(10)?)?;
        Ok(listener)
    };
    open().with_context(|| format!("listen to vsock port {port}"))
}

/// Calls the host, once.
pub fn call_host(port: u32) -> Result<OwnedFd> {
    let open = || -> nix::Result<OwnedFd> {
        let stream = socket(AddressFamily::Vsock, SockType::Stream, SockFlag::SOCK_CLOEXEC, None)?;
        connect(stream.as_raw_fd(), &VsockAddr::new(libc::VMADDR_CID_HOST, port))?;
        Ok(stream)
    };
    open().with_context(|| format!("call the host's vsock port {port}"))
}

/// Binds a socket of its own to an address.
pub fn bound(
    family: AddressFamily,
    protocol: nix::sys::socket::SockProtocol,
    to: &dyn SockaddrLike,
) -> Result<OwnedFd> {
    let socket = socket(family, SockType::Datagram, SockFlag::SOCK_CLOEXEC, protocol).context("open a socket")?;
    bind(socket.as_raw_fd(), to).context("bind a socket")?;
    Ok(socket)
}

/// ioctl(2) with the flags of the loopback interface: netdevice(7).
pub fn bring_loopback_up() -> Result<()> {
    let any = socket(AddressFamily::Inet, SockType::Datagram, SockFlag::SOCK_CLOEXEC, None).context("open a socket")?;
    // SAFETY: all zeros are a valid ifreq.
    let mut request: libc::ifreq = unsafe { std::mem::zeroed() };
    for (to, from) in request.ifr_name.iter_mut().zip(b"lo") {
        *to = *from as libc::c_char;
    }
    for call in [libc::SIOCGIFFLAGS, libc::SIOCSIFFLAGS] {
        // SAFETY: the request is an ifreq, which both calls take; its flags are what the first one sets.
        let done = unsafe {
            request.ifr_ifru.ifru_flags |= libc::IFF_UP as libc::c_short;
            libc::ioctl(any.as_raw_fd(), call as _, &mut request)
        };
        ensure!(done == 0, "bring lo up: {}", std::io::Error::last_os_error());
    }
    Ok(())
}
