// The one error of every reader: the directory cannot be asked now. It never means "not found".

package import MailModel

/// The directory cannot be read now: 451, `-ERR [SYS/TEMP]`, `NO [UNAVAILABLE]`.
package struct DirectoryUnavailable: Error, Hashable, Sendable, CustomStringConvertible {
    /// For the log and the administrator; never for a client.
    package let reason: String

    package init(_ reason: String) { self.reason = reason }

    package var description: String { "directory unavailable: \(reason)" }
    /// RFC 3463 §3.4: other or undefined mail system status.
    package var status: EnhancedStatus { EnhancedStatus(.temporary, 4, 3) }
}
