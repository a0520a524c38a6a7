// Senders of forwarded mail, by the secret of the address snapshot: queued writes them, smtpd knows them again.

import Crypto
package import MailModel

extension AddressSnapshot {
    /// Nil in a snapshot that an earlier version wrote: then nothing is rewritten.
    package func senderRewriting() throws(DirectoryUnavailable) -> SenderRewriting? {
        guard let secret = try forwardingSecret() else { return nil }
        return SenderRewriting { Array(HMAC<SHA256>.authenticationCode(for: $0, using: SymmetricKey(data: secret))) }
    }

    /// To whom a notice for an address of ours goes back that we wrote as the sender of forwarded mail; nil for any other address.
    ///
    /// `day`: days since 1970.
    package func forwardedSender(behind address: EmailAddress, day: Int) throws(DirectoryUnavailable) -> EmailAddress? {
        var found: EmailAddress?
        // Mail that came round was rewritten here before, so that what stands behind the first may be ours again.
        for _ in 0..<3 {
            let last = found ?? address
            guard SenderRewriting.isRewritten(last), try domain(last.domain).isLocal, let next = try senderRewriting()?.original(of: last, day: day)
            else { break }
            found = next
        }
        return found
    }

    /// The sender with which mail from `sender` goes on from `forwarder`, an address of ours, to `recipient`; nil where it stays as it is.
    ///
    /// `day`: days since 1970.
    package func forwardingSender(
        of sender: EmailAddress, from forwarder: EmailAddress, to recipient: EmailAddress, day: Int
    ) throws(DirectoryUnavailable) -> EmailAddress? {
        guard forwarder != recipient, try domain(forwarder.domain).isLocal, try !domain(recipient.domain).isLocal, try !domain(sender.domain).isLocal
        else { return nil }
        return try senderRewriting()?.rewritten(sender, at: forwarder.domain, day: day)
    }
}
