// A path is bytes. One with a NUL inside is the empty path, which names no file.

import Glibc

/// A file path or a single name in a folder, ready for the kernel.
package struct Path: Hashable, Sendable, ExpressibleByStringLiteral, CustomStringConvertible {
    /// The bytes and their terminating NUL.
    private let terminated: [UInt8]

    package init(_ bytes: some Sequence<UInt8>) {
        let bytes = Array(bytes)
        terminated = bytes.contains(0) ? [0] : bytes + [0]
    }

    package init(_ text: String) { self.init(text.utf8) }
    package init(stringLiteral text: StaticString) { self.init(text.withUTF8Buffer { Array($0) }) }

    package var bytes: [UInt8] { Array(terminated.dropLast()) }
    package var isEmpty: Bool { terminated.count == 1 }
    package var description: String { String(decoding: terminated.dropLast(), as: UTF8.self) }

    /// Whether it names an entry of one folder and cannot lead elsewhere.
    package var isSingleName: Bool {
        !isEmpty && !terminated.contains(UInt8(ascii: "/")) && terminated != [0x2E, 0] && terminated != [0x2E, 0x2E, 0]
    }

    /// This path, a slash, and `component`.
    package func appending(_ component: Path) -> Path {
        if isEmpty { return component }
        return Path(bytes + (terminated.dropLast().last == UInt8(ascii: "/") ? [] : [UInt8(ascii: "/")]) + component.bytes)
    }

    package static func / (folder: Path, component: Path) -> Path { folder.appending(component) }

    /// The path without its last component; `.` if it has one only.
    package var parent: Path {
        guard let slash = bytes.lastIndex(of: UInt8(ascii: "/")) else { return "." }
        return slash == 0 ? "/" : Path(bytes[..<slash])
    }

    package var lastComponent: Path {
        guard let slash = bytes.lastIndex(of: UInt8(ascii: "/")) else { return self }
        return Path(bytes[(slash + 1)...])
    }

    /// Where the file lies once every symbolic link on the way is followed; itself where that cannot be told.
    package var resolvingLinks: Path {
        guard let resolved = withCString({ realpath($0, nil) }) else { return self }
        defer { free(resolved) }
        return Path(String(cString: resolved))
    }

    package func withCString<R>(_ body: (UnsafePointer<CChar>) -> R) -> R {
        terminated.withUnsafeBytes { buffer in
            buffer.withMemoryRebound(to: CChar.self) { chars in
                guard let base = chars.baseAddress else { return body("") }
                return body(base)
            }
        }
    }
}
