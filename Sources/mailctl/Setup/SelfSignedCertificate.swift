// A certificate that nobody has any reason to trust: for loopback in development, and for a start elsewhere.

import Crypto
import FoundationEssentials
import Kernel
import SwiftASN1
import X509

/// A self-signed certificate and its key, PEM.
struct SelfSignedCertificate {
    let certificate: String
    let key: String

    /// For the host, `localhost`, 127.0.0.1 and ::1, a P-256 key, valid for ten years from an hour ago (RFC 5280 §4.1).
    init(hostname: String, isDevelopment: Bool, now: WallTime) throws {
        let key = P256.Signing.PrivateKey()
        let issuerKey = Certificate.PrivateKey(key)
        let name = try DistinguishedName { CommonName("Martlet \(isDevelopment ? "development" : "self-signed") (\(hostname))") }
        var names: [GeneralName] = [.dnsName("localhost")]
        if hostname != "localhost" { names.append(.dnsName(hostname)) }
        names.append(.ipAddress(ASN1OctetString(contentBytes: [127, 0, 0, 1])))
        names.append(.ipAddress(ASN1OctetString(contentBytes: ArraySlice([UInt8](repeating: 0, count: 15) + [1]))))
        let extensions = try Certificate.Extensions {
            Critical(BasicConstraints.isCertificateAuthority(maxPathLength: 0))
            Critical(KeyUsage(digitalSignature: true, keyCertSign: true))
            try ExtendedKeyUsage([.serverAuth, .clientAuth])
            SubjectAlternativeNames(names)
        }
        let certificate = try Certificate(
            version: .v3, serialNumber: Certificate.SerialNumber(), publicKey: issuerKey.publicKey,
            notValidBefore: .init(timeIntervalSince1970: Double(now.seconds - 3600)),
            notValidAfter: .init(timeIntervalSince1970: Double(now.seconds + 3650 * 86400)),
            issuer: name, subject: name, signatureAlgorithm: .ecdsaWithSHA256, extensions: extensions, issuerPrivateKey: issuerKey)
        self.certificate = try certificate.serializeAsPEM().pemString + "\n"
        self.key = key.pemRepresentation + "\n"
    }
}
