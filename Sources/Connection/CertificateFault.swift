// Why a handshake failed, where it was the server's certificate: in words that a sender may read.

internal import Kernel
internal import NIOSSL

/// What was wrong with a certificate; the raw value is the reason in `Ending.tlsFailed`.
package enum CertificateFault: String, Sendable, CaseIterable {
    case expired = "its certificate has expired"
    case otherName = "its certificate is for another name"
    case untrusted = "its certificate comes from nobody whom we trust"
    /// A check of the caller's own said no.
    case unlike = "its certificate is not the one that it must show"
}

extension CertificateFault {
    /// Nil for an error that is of something else.
    init?(_ error: any Error, _ handler: NIOSSLHandler?, isChecked: Bool) {
        if let error = error as? NIOSSLExtraError, error == .failedToValidateHostname {
            self = .otherName
        } else if "\(error)".contains("CERTIFICATE_VERIFY_FAILED") {
            self = isChecked ? .unlike : CertificateFault.isOver(handler?.peerCertificate) ? .expired : .untrusted
        } else {
            return nil
        }
    }

    private static func isOver(_ certificate: NIOSSLCertificate?) -> Bool {
        guard let certificate else { return false }
        return certificate.notValidAfter < Int(WallTime.now().seconds)
    }
}
