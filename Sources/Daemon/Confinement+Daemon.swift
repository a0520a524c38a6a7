// Confinement as every daemon applies it: after its logs are open, before its first thread.

import Configuration
import Kernel
package import Sandbox
import Spool
import Synchronization

extension DaemonContext {
    /// Gives up everything that `confinement` does not name, or ends the process: an unconfined daemon must not serve.
    /// What the kernel cannot do is returned as sentences, worth an event.
    package func confine(_ confinement: Confinement) -> [String] {
        var confinement = confinement
        // A user id that is the service's own starts few threads; one that is shared with other programs may have any number.
        if SystemUser(named: configuration.users.prefix + service.rawValue)?.uid == Identity.userID { confinement.processes = 1024 }
        do throws(ConfinementError) {
            let warnings = try confinement.apply().map(\.description)
            ConfinementState.gaps.store(warnings.count, ordering: .relaxed)
            return warnings
        } catch {
            fail(service.rawValue, "\(error)", remedy: "check the kernel's Landlock and seccomp support (`mailctl sandbox report` shows what is denied, and by what)", .software)
        }
    }
}
