// Confinement as every daemon applies it: after its logs are open, before its first thread.

package import Configuration
package import Kernel
import MailModel
package import Sandbox
import Spool

extension Path {
    /// libdispatch, which NIO and swift-crypto link, looks at the state of its threads here and traps if it cannot.
    package static let ownThreads: Path = "/proc/self/task"
}

extension Configuration.TLS {
    /// Where certificate and key lie, also where links lead that the administrator's tools renew.
    package var folders: [Path] {
        [certificate, key].flatMap { [$0.parent, $0.resolvingLinks.parent] }
    }
}

extension Configuration.Paths {
    /// The mail logs, where accepted mail lies until it is delivered: for the agents that bring it on.
    package var mailLogs: [Path] { QueueOrigin.allCases.map { spool / LogName($0.owner, .mail).path } }
    /// What queued asks of the agents.
    package var assignments: Path { spool / LogName(.queued, .events).path }
}

extension DaemonContext {
    /// Gives up everything that `confinement` does not name, or ends the process: an unconfined daemon must not serve.
    /// What the kernel cannot do is returned as sentences, worth an event.
    package func confine(_ confinement: Confinement) -> [String] {
        do throws(ConfinementError) {
            return try confinement.apply().map(\.description)
        } catch {
            fail(service.rawValue, "\(error)", remedy: "check the kernel's Landlock and seccomp support", .software)
        }
    }
}
