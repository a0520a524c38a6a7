// Paths that several confinements name.

package import Configuration
package import Kernel
import MailModel
import Spool

extension Path {
    /// libdispatch, which NIO and swift-crypto link, looks at the state of its threads here and traps if it cannot.
    package static let ownThreads: Path = "/proc/self/task"
}

extension Configuration.TLS {
    /// Where certificates and keys lie, also where links lead that the administrator's tools renew.
    package var folders: [Path] {
        ([certificate, key] + certificates.flatMap { [$0.chain, $0.key] }).flatMap { [$0.parent, $0.resolvingLinks.parent] }
    }
}

extension Configuration.Paths {
    /// The mail logs, where accepted mail lies until it is delivered: for the agents that bring it on.
    package var mailLogs: [Path] { QueueOrigin.allCases.map { spool / LogName($0.owner, .mail).path } }
    /// What queued asks of the agents.
    package var assignments: Path { spool / LogName(.queued, .events).path }
    /// What the other services that check passwords say of it: their failures count with one's own.
    package func loginEvents(besides service: Service) -> [Path] {
        let all: [(Service, SpoolOwner)] = [(.submission, .submission), (.pop3d, .pop3d), (.imapd, .imapd)]
        return all.filter { $0.0 != service }.map { spool / LogName($0.1, .events).path }
    }
    /// The folders of the directory's snapshots, as `Directory` lays them out: what is read is one kind, and never the database.
    package var addressSnapshot: Path { directory / "addresses" }
    package var credentialSnapshot: Path { directory / "credentials" }
    /// The folder of the passwords by which other hosts take mail from us.
    package var relay: Path { directory / "relay" }
}
