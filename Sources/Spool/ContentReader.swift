// Content of accepted messages, for the agents that bring it on. What does not match its checksum is never delivered.

package import Kernel
package import MailModel
package import SpoolFormat

/// Why content could not be had. Always a temporary failure, never a missing message.
package enum ContentError: Error, Sendable {
    case missing(ContentLocation)
    /// The bytes on the disk are not those that were accepted.
    case corrupt(ContentLocation)
    case kernel(KernelError)
}

extension ContentError: CustomStringConvertible {
    package var description: String {
        switch self {
        case .missing(let location): "no content at \(location.text.display)"
        case .corrupt(let location): "content does not match its checksum at \(location.text.display)"
        case .kernel(let error): "\(error)"
        }
    }
}

/// Reads content by its location; keeps a few segments open. Used by one thread.
package final class ContentReader {
    private let folders: [QueueOrigin: (mail: DirectoryHolder, big: DirectoryHolder)]
    private var open: [(origin: QueueOrigin, number: UInt32, file: SegmentFile)] = []
    /// The uid that each origin's files must have.
    private let owners: [QueueOrigin: UInt32]
    /// More stands in no log; nothing is allocated on the word of a record that says otherwise. Bytes.
    private static let maximumInline = 1 << 24

    private final class DirectoryHolder: Sendable {
        let directory: DirectoryDescriptor
        init(_ directory: consuming DirectoryDescriptor) { self.directory = directory }
    }

    package init(spool: borrowing DirectoryDescriptor) throws(KernelError) {
        var owners: [QueueOrigin: UInt32] = [:]
        var folders: [QueueOrigin: (mail: DirectoryHolder, big: DirectoryHolder)] = [:]
        for origin in QueueOrigin.allCases {
            let path = LogName(origin.owner, .mail).path
            owners[origin] = try LogName(origin.owner, .mail).user(in: spool)
            folders[origin] = (
                DirectoryHolder(try spool.openDirectory(path)), DirectoryHolder(try spool.openDirectory(path / "big"))
            )
        }
        self.folders = folders
        self.owners = owners
    }

    /// The whole content, checked. For content up to the inline limit.
    package func content(at location: ContentLocation, id: QueueID) throws(ContentError) -> [UInt8] {
        guard let position = location.position else { throw .missing(location) }
        guard location.extent.length <= ContentReader.maximumInline else { throw .corrupt(location) }
        let file = try segment(location, number: position.segment)
        let bytes: [UInt8]
        do throws(KernelError) { bytes = try file.descriptor.read(location.extent.length, at: position.offset) } catch {
            throw .kernel(error)
        }
        if bytes.count == location.extent.length, CRC32C.checksum(bytes) == location.extent.checksum { return bytes }
        if try isUncommitted(location, in: file) { throw .missing(location) }
        throw .corrupt(location)
    }

    /// Whether a power cut took back the commit of this place: what lay there stands in the next segment, and queued learns of it (O14).
    private func isUncommitted(_ location: ContentLocation, in file: SegmentFile) throws(ContentError) -> Bool {
        guard let position = location.position else { return false }
        var committed: Int64?
        if let next = try? segment(location, number: position.segment &+ 1), let sealed = next.header.predecessor, sealed.segment == position.segment {
            committed = sealed.offset
        }
        do throws(KernelError) {
            if committed == nil { committed = try file.end().committed }
        } catch { throw .kernel(error) }
        return Int64(location.extent.length) > (committed ?? 0) - position.offset
    }

    /// The file of big content, open and with its length right; the reader checks the sum over all it has read.
    package func big(_ location: ContentLocation, id: QueueID) throws(ContentError) -> Descriptor {
        guard let folder = folders[location.origin]?.big else { throw .missing(location) }
        do throws(KernelError) {
            let file = try folder.directory.open(Path(id.text))
            let status = try file.status()
            guard status.kind == .file, status.size == Int64(location.extent.length),
                status.owner == owners[location.origin]
            else { throw KernelError(.read, code: 74, object: id.text) }
            return file
        } catch {
            throw error.isMissing ? .missing(location) : .kernel(error)
        }
    }

    private func segment(_ location: ContentLocation, number: UInt32) throws(ContentError) -> SegmentFile {
        if let known = open.first(where: { $0.origin == location.origin && $0.number == number }) { return known.file }
        guard let folder = folders[location.origin]?.mail else { throw .missing(location) }
        do throws(SegmentProblem) {
            let file = try SegmentFile(
                folder: folder.directory, number: number, log: LogName(location.origin.owner, .mail), owner: owners[location.origin])
            // A segment that was erased meanwhile is not kept on the disk for our sake.
            open.removeAll { ((try? $0.file.descriptor.status().links) ?? 0) == 0 }
            if open.count >= 16 { open.removeFirst() }
            open.append((location.origin, number, file))
            return file
        } catch {
            switch error {
            case .missing: throw .missing(location)
            case .unusable(let reason): throw .kernel(reason)
            }
        }
    }
}
