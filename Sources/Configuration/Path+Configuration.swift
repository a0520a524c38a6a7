// A path in the file may be relative to the root; once loaded, every path is absolute.

package import Kernel

extension Path: ConfigurationValue {
    package static let kind = "a path in quotes"

    package init?(_ literal: ConfigurationLiteral) {
        guard let text = String(literal), !text.isEmpty, text.utf8.count < 4096 else { return nil }
        self.init(text)
    }

    package var literal: ConfigurationLiteral { .text(description) }

    package var isAbsolute: Bool { bytes.first == UInt8(ascii: "/") }

    /// This path as seen from `folder`; an absolute one stands for itself.
    package func resolved(from folder: Path) -> Path { (isAbsolute ? self : folder / self).normalized }

    /// The path with `.`, empty and `..` parts taken out by name alone, as a person reads it.
    package var normalized: Path {
        var parts: [ArraySlice<UInt8>] = []
        for part in bytes.split(separator: UInt8(ascii: "/")) where part != [0x2E] {
            if part == [0x2E, 0x2E], let last = parts.last, last != [0x2E, 0x2E] {
                parts.removeLast()
            } else if part != [0x2E, 0x2E] || !isAbsolute {
                parts.append(part)
            }
        }
        let joined = Array(parts.joined(separator: [UInt8(ascii: "/")]))
        return isAbsolute ? Path([UInt8(ascii: "/")] + joined) : joined.isEmpty ? "." : Path(joined)
    }
}
