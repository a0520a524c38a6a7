// What the programs that move mail on may still do once they run: the one place that says so.

package import Configuration
import Kernel
import MailModel
package import Sandbox
import Spool

extension Confinement {
    /// The logs that it follows, the content of what may bounce, the address snapshot; its own folder and the drops for
    /// writing; no network.
    package static func queued(_ configuration: Configuration) -> Confinement {
        let paths = configuration.paths
        let heard: [SpoolOwner] = [.locald, .remoted, .mailctl]
        var confinement = Confinement(
            readable: paths.mailLogs + heard.map { paths.spool / LogName($0, .events).path } + [paths.addressSnapshot, paths.published, .ownThreads],
            writable: [paths.spool / "queued", paths.spool / "drop"], network: .none)
        confinement.descriptors = 1024
        return confinement
    }

    /// queued's events and the mail logs for reading, locald's own folder and the store for writing; no network.
    package static func locald(_ configuration: Configuration) -> Confinement {
        let paths = configuration.paths
        var confinement = Confinement(
            readable: paths.mailLogs + [paths.assignments, paths.published, .ownThreads, "/proc/sys/kernel/random"],
            writable: [paths.spool / "locald", paths.store], network: .none)
        confinement.descriptors = 4096
        return confinement
    }

    /// queued's events and the mail logs for reading, remoted's own folder for writing, trusted roots, the resolver's files and the relay passwords; connections
    /// to anywhere, because a route may name any port and policies are fetched by HTTPS, and to local sockets only where `remote.sockets` lists one.
    package static func remoted(_ configuration: Configuration) -> Confinement {
        let paths = configuration.paths
        var confinement = Confinement(
            readable: paths.mailLogs + [
                paths.assignments, paths.relay, paths.published, .ownThreads, "/etc/resolv.conf", "/etc/hosts", "/etc/nsswitch.conf", "/etc/host.conf", "/etc/ssl", "/usr/share/ca-certificates",
            ] + [configuration.remote.roots].compactMap { $0 },
            writable: [paths.spool / "remoted"], network: .connecting(toPorts: nil))
        confinement.outgoing.isLocal = !configuration.remote.sockets.isEmpty
        confinement.descriptors = 8192
        return confinement
    }
}
