// Who hears what concerns this host itself.

import Directory
import Kernel
import MailModel

extension RoutingDirectory {
    /// The configured address, or the postmaster of a domain of ours: of the host's own name, if it is one.
    func postmaster(now: MonotonicTime) -> EmailAddress? {
        if let named = router.postmaster { return named }
        snapshot.refresh(at: now)
        // Without an answer it is the host's own: routing waits for the directory.
        let isOurs = (try? snapshot.domain(host).isLocal) ?? true
        let domain = isOurs ? host : (try? snapshot.localDomain()) ?? host
        return EmailAddress(localPart: Array("postmaster".utf8), domain: domain)
    }
}
