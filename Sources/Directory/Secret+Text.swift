// Reading and writing the text forms of a secret. An unknown scheme is refused when it is brought, not when somebody logs in.

import MailModel
import SASLProtocol

extension Secret {
    /// The one text form, as stored.
    package var text: [UInt8] {
        switch self {
        case .scram(let salt, let iterations, let storedKey, let serverKey):
            Array("SCRAM-SHA-256$\(iterations):".utf8) + Base64.encode(salt) + Array("$".utf8) + Base64.encode(storedKey)
                + Array(":".utf8) + Base64.encode(serverKey)
        case .crypt(let hash): Array("{CRYPT}".utf8) + hash
        case .digest(let scheme, let digest, let salt): Array("{\(scheme.rawValue)}".utf8) + Base64.encode(digest + salt)
        case .plain(let password): Array("{PLAIN}".utf8) + password
        }
    }

    /// What kind it is, for people.
    package var kind: String {
        switch self {
        case .scram: "scram-sha-256"
        case .crypt: "crypt"
        case .digest(let scheme, _, _): scheme.rawValue.lowercased()
        case .plain: "plain"
        }
    }

    /// A stored or imported secret: `{SCHEME}…`, a bare `$6$…` of crypt(3), or RFC 5803; nil if we could not check it.
    package init?(parsing text: some Collection<UInt8>) {
        let text = Array(text)
        if text.starts(with: Array("SCRAM-SHA-256$".utf8)) {
            self.init(storedForm: text.dropFirst(14))
        } else if text.first == UInt8(ascii: "{"), let close = text.firstIndex(of: UInt8(ascii: "}")) {
            self.init(scheme: String(decoding: text[1..<close], as: UTF8.self).uppercased(), value: text[(close + 1)...])
        } else if text.first == UInt8(ascii: "$") || text.first == UInt8(ascii: "_") {
            self.init(crypt: text)
        } else {
            return nil
        }
    }

    private init?(scheme: String, value: ArraySlice<UInt8>) {
        switch scheme {
        case "PLAIN", "CLEAR", "CLEARTEXT":
            guard Secret.isPassword(value) else { return nil }
            self = .plain(Array(value))
        case "CRYPT", "DES-CRYPT", "MD5-CRYPT", "SHA256-CRYPT", "SHA512-CRYPT", "BLF-CRYPT": self.init(crypt: Array(value))
        case "SCRAM-SHA-256": self.init(commaForm: value)
        default:
            guard let scheme = DigestScheme(rawValue: scheme), let bytes = Base64.decode(value) else { return nil }
            let salt = bytes.count - scheme.digestLength
            guard scheme.isSalted ? salt > 0 : salt == 0 else { return nil }
            self = .digest(scheme, digest: Array(bytes.prefix(scheme.digestLength)), salt: Array(bytes.suffix(salt)))
        }
    }

    private init?(crypt hash: [UInt8]) {
        guard hash.count < 384, hash.allSatisfy({ $0 > 0x20 && $0 < 0x7F }), cryptUnderstands(hash) else { return nil }
        self = .crypt(hash)
    }

    /// `4096:<salt>$<StoredKey>:<ServerKey>` (RFC 5803 §2).
    private init?(storedForm text: ArraySlice<UInt8>) {
        let halves = text.split(separator: UInt8(ascii: "$"), omittingEmptySubsequences: false)
            .map { $0.split(separator: UInt8(ascii: ":"), omittingEmptySubsequences: false) }
        guard halves.count == 2, halves[0].count == 2, halves[1].count == 2 else { return nil }
        self.init(halves[0][0], halves[0][1], halves[1][0], halves[1][1])
    }

    /// `4096,<salt>,<StoredKey>,<ServerKey>`, as Dovecot writes it.
    private init?(commaForm text: ArraySlice<UInt8>) {
        let parts = text.split(separator: UInt8(ascii: ","), omittingEmptySubsequences: false)
        guard parts.count == 4 else { return nil }
        self.init(parts[0], parts[1], parts[2], parts[3])
    }

    private init?(_ iterations: ArraySlice<UInt8>, _ salt: ArraySlice<UInt8>, _ stored: ArraySlice<UInt8>, _ server: ArraySlice<UInt8>) {
        guard let iterations = iterations.decimalValue, (1...Secret.maximumIterations).contains(iterations),
            let salt = Base64.decode(salt), !salt.isEmpty, let stored = Base64.decode(stored), stored.count == 32,
            let server = Base64.decode(server), server.count == 32
        else { return nil }
        self = .scram(salt: salt, iterations: iterations, storedKey: stored, serverKey: server)
    }

    /// What may be a password: UTF-8, 1 to 1024 bytes, no control character (RFC 4616 §2 forbids NUL alone).
    package static func isPassword(_ text: some Collection<UInt8>) -> Bool {
        (1...1024).contains(text.count) && isUTF8(text) && text.allSatisfy { $0 >= 0x20 && $0 != 0x7F }
    }
}
