// The name of an account's folder, from safe characters only: what an address holds must mean nothing to a shell or a path.

import Crypto
import Directory
import MailModel

enum FolderName {
    /// `example.org/alice`: letters, digits, `-`, `_` and inner dots stay; every other byte becomes `=` and two digits.
    static func base(for address: EmailAddress) -> [UInt8] {
        escaped(address.domain.bytes) + [UInt8(ascii: "/")] + escaped(address.localPart.asciiLowercased)
    }

    /// The name to try after `attempt` names were found to be taken: `~` is in no name made of an address.
    static func candidate(_ base: [UInt8], attempt: Int) -> [UInt8] {
        attempt == 0 ? base : base + Array("~\(attempt + 1)".utf8)
    }

    private static func escaped(_ text: [UInt8]) -> [UInt8] {
        let name = text.enumerated().flatMap { index, byte -> [UInt8] in
            let isPlain = byte.isASCIILetter || byte.isASCIIDigit || byte == 0x2D || byte == 0x5F || (byte == 0x2E && index > 0)
            return isPlain ? [byte] : [UInt8(ascii: "=")] + hexadecimal([byte])
        }
        // NAME_MAX is 255; the digest keeps long names apart, and `=-` begins no escape.
        guard name.count > 200 else { return name }
        return Array(name.prefix(160)) + Array("=-".utf8) + hexadecimal(SHA256.hash(data: text).prefix(16))
    }
}
