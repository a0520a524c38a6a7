// Certificate and key as the files have them: whether they belong together, for which names, and until when.

import Configuration
import FoundationEssentials
import Kernel
import MailModel
import SwiftASN1
import X509

enum CertificateCheck {
    static func all(_ patient: Patient) -> [Finding] {
        let tls = patient.configuration.tls
        let first = pair(tls.certificate, tls.key, hostname: patient.configuration.hostname, patient)
        return first + tls.certificates.flatMap { pair($0.chain, $0.key, hostname: nil, patient) }
    }

    /// `hostname`: what it must be for; a further certificate is for whatever names it bears.
    private static func pair(_ certificate: Path, _ keyFile: Path, hostname: Domain?, _ patient: Patient) -> [Finding] {
        let remedy = "put the certificate's chain there (RFC 8555: an ACME client such as certbot or lego makes one), or " + patient.mailctl("setup YOU@DOMAIN")
            + " for a self-signed one; then " + patient.mailctl("reload")
        guard let chain = contents(certificate), let leaf = try? certificates(chain).first else {
            return [.problem("certificate", of: "\(certificate)", "holds no certificate that can be read", remedy: remedy)]
        }
        guard let key = contents(keyFile), let pair = privateKey(key) else {
            return [.problem("certificate", of: "\(keyFile)", "holds no private key that can be read", remedy: remedy)]
        }
        guard pair.publicKey == leaf.publicKey else {
            return [.problem("certificate", of: "\(certificate)", "does not belong to the key \(keyFile)", remedy: remedy)]
        }
        return judge(leaf, subject: "\(certificate)", hostname: hostname, now: patient.now, patient)
    }

    private static func contents(_ path: Path) -> String? {
        let real = path.resolvingLinks
        let bytes = try? DirectoryDescriptor(passing: real.parent).contents(of: real.lastComponent, limit: 1 << 20)
        return bytes.map { String(decoding: $0, as: UTF8.self) }
    }

    /// `openssl ecparam -genkey` writes the curve's parameters before the key.
    private static func privateKey(_ text: String) -> Certificate.PrivateKey? {
        guard let documents = try? PEMDocument.parseMultiple(pemString: text) else { return nil }
        return documents.first { $0.discriminator.hasSuffix("PRIVATE KEY") }.flatMap { try? Certificate.PrivateKey(pemDocument: $0) }
    }

    static func certificates(_ text: String) throws -> [Certificate] {
        try PEMDocument.parseMultiple(pemString: text).map { try Certificate(pemDocument: $0) }
    }

    /// A certificate of Let's Encrypt lives 90 days and is renewed at 30 left: two weeks mean that the renewal fails.
    private static let scarce: Int64 = 14 * 86400

    static func judge(_ leaf: Certificate, subject: String, hostname: Domain?, now: WallTime, _ patient: Patient?) -> [Finding] {
        let begins = Int64(leaf.notValidBefore.timeIntervalSince1970), ends = Int64(leaf.notValidAfter.timeIntervalSince1970)
        let renew = "renew it (certbot renew, lego renew), then " + (patient?.mailctl("reload") ?? "mailctl reload")
        var findings: [Finding] = []
        if now.seconds >= ends {
            findings.append(.problem("certificate", of: subject, "expired \(StatusCommand.span(now.seconds - ends)) ago", remedy: renew))
        } else if now.seconds < begins {
            findings.append(.problem("certificate", of: subject, "is not valid before \(StatusCommand.span(begins - now.seconds)) from now", remedy: "check the clock"))
        } else if ends - now.seconds < scarce {
            findings.append(.warning("certificate", of: subject, "expires in \(StatusCommand.span(ends - now.seconds))", remedy: renew))
        }
        let names = names(of: leaf)
        if let hostname, !names.contains(where: { covers($0, hostname.description) }) {
            findings.append(.problem(
                "certificate", of: subject, "is for \(names.isEmpty ? "no name" : names.joined(separator: ", ")), not for \(hostname)",
                remedy: "get one for \(hostname) (certbot certonly -d \(hostname)), or set hostname to a name that it has"))
        }
        if leaf.issuer == leaf.subject {
            findings.append(.warning(
                "certificate", of: subject, "is self-signed: mail programs of your users will warn",
                remedy: "get one of an authority: certbot certonly --standalone -d \(hostname?.description ?? names.first ?? "NAME"), then set tls.certificate and tls.key to its files"))
        }
        return findings.isEmpty ? [.ok("certificate", of: subject, "for \(names.joined(separator: ", ")), \((ends - now.seconds) / 86400) days left")] : findings
    }

    static func names(of leaf: Certificate) -> [String] {
        guard let alternatives = try? leaf.extensions.subjectAlternativeNames else { return [] }
        return alternatives.compactMap { name -> String? in
            if case .dnsName(let text) = name { text.lowercased() } else { nil }
        }
    }

    /// RFC 6125 §6.4.3: a star stands for one whole label, the first.
    static func covers(_ pattern: String, _ name: String) -> Bool {
        if pattern == name { return true }
        guard pattern.hasPrefix("*."), let dot = name.firstIndex(of: ".") else { return false }
        return name[dot...] == pattern.dropFirst()
    }
}
