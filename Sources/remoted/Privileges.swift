// What remoted may still do once it runs: the one place that says so.

import Configuration
import Daemon
import Kernel
import Sandbox

extension Confinement {
    /// queued's events and the mail logs for reading, remoted's own folder for writing, trusted roots and the resolver's files; connections to anywhere,
    /// because a route may name any port.
    static func remoted(_ configuration: Configuration) -> Confinement {
        let spool = configuration.paths.spool
        var confinement = Confinement(
            readable: configuration.paths.mailLogs + [
                configuration.paths.assignments, .ownThreads, "/etc/resolv.conf", "/etc/hosts", "/etc/nsswitch.conf", "/etc/host.conf", "/etc/ssl", "/usr/share/ca-certificates",
            ],
            writable: [spool / "remoted"], network: .unrestricted)
        confinement.descriptors = 8192
        return confinement
    }
}
