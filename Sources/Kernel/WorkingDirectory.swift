// Where relative paths begin, and where this program lies.

import Glibc

extension Identity {
    /// The absolute path of the working folder; `/` if it was removed under us.
    package static var workingDirectory: Path {
        guard let text = getcwd(nil, 0) else { return "/" }
        defer { free(text) }
        return Path(String(cString: text))
    }
}

extension Identity {
    /// The file that this process runs, links resolved; empty if the kernel does not say.
    package static var executable: Path {
        var buffer = [UInt8](repeating: 0, count: 4096)
        let count = buffer.withUnsafeMutableBytes { buffer in
            buffer.baseAddress.map { readlink("/proc/self/exe", $0, buffer.count) } ?? 0
        }
        return Path(buffer.prefix(max(0, count)))
    }
}
