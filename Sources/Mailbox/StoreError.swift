// What can go wrong with the store: each case has one answer at the boundary of a program.

package import Kernel

/// A failure of the store. All but `nameRefused`, `folderExists`, `folderMissing` and `keywordsFull` are temporary.
package enum StoreError: Error, Hashable, Sendable {
    /// A system call failed.
    case kernel(KernelError)
    /// The store is not mounted, or is another one than the one that is recorded.
    case storeMissing(reason: [UInt8])
    /// The account has no Maildir.
    case accountMissing
    /// The folder is not there, or another one has its name since it was opened.
    case folderMissing
    case folderExists
    /// A mailbox name that cannot be a folder's, or INBOX where it cannot be meant.
    case nameRefused
    /// The message is not in the folder any more.
    case messageMissing
    /// All 26 keywords of the folder are taken by messages.
    case keywordsFull
    /// No UID or UIDVALIDITY is left.
    case numbersExhausted
    /// A file of ours that is not in its format, or of a newer version.
    case damaged(path: [UInt8])
}

extension StoreError: CustomStringConvertible {
    package var description: String {
        switch self {
        case .kernel(let error): error.description
        case .storeMissing(let reason): "the mail store is not there: \(String(decoding: reason, as: UTF8.self))"
        case .accountMissing: "the account has no Maildir"
        case .folderMissing: "no such mailbox"
        case .folderExists: "the mailbox exists already"
        case .nameRefused: "not a possible mailbox name"
        case .messageMissing: "the message is gone"
        case .keywordsFull: "all 26 keywords of the mailbox are in use"
        case .numbersExhausted: "the mailbox has no number left to give"
        case .damaged(let path): "damaged or of a newer version: \(String(decoding: path, as: UTF8.self))"
        }
    }
}

/// Runs a call of the kernel; its failure is a failure of the store.
@inline(__always)
func kernel<R: ~Copyable>(_ body: () throws(KernelError) -> R) throws(StoreError) -> R {
    do throws(KernelError) { return try body() } catch { throw .kernel(error) }
}

/// The same; nil if what the call was for does not exist.
@inline(__always)
func ifPresent<R: ~Copyable>(_ body: () throws(KernelError) -> R) throws(StoreError) -> R? {
    do throws(KernelError) { return try body() } catch {
        if error.isMissing { return nil }
        throw .kernel(error)
    }
}
