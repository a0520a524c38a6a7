// Messages being read: FETCH and SEARCH. A file's content never changes, so one that is open stays readable.

import IMAPProtocol
import Kernel
import MailFormat
import Mailbox
import SpoolFormat

extension AccountAccess {
    private mutating func open(_ uid: MessageUID) throws(StoreError) -> MessageFile {
        if let message, message.uid == uid { return message.file }
        message = nil
        let file = try selectedFolder().open(uid)
        message = (uid, file)
        return file
    }

    mutating func describe(_ uid: MessageUID, _ needs: MessageNeeds) throws(StoreError) -> Session.Answer {
        let file: MessageFile
        do throws(StoreError) { file = try open(uid) } catch {
            guard case .messageMissing = error else { throw error }
            return .described(nil)
        }
        var description = MessageDescription(size: try file.wireSize())
        if needs.contains(.internalDate) { description.internalDate = InternalDate(seconds: try file.arrivalSeconds()) }
        if needs.contains(.structure) {
            try describe(file, wholly: &description)
        } else {
            if needs.contains(.header) { (description.header, description.headerLength) = try file.header() }
            if needs.contains(.content), description.size <= MessageDescription.inlineLimit {
                description.content = try file.contents()
            }
        }
        if needs.contains(.content), let name = selected?.name { trace.message(.fetch, file.name, uid, in: name) }
        return .described(description)
    }

    /// All parts can only be found in all of the message.
    private func describe(_ file: MessageFile, wholly description: inout MessageDescription) throws(StoreError) {
        let content = try file.contents()
        let structure = MIMEStructure(of: content)
        let header = structure.root.header
        description.headerLength = header.upperBound
        description.header = Array(content[header.prefix(MessageDescription.headerLimit)])
        description.structure = structure
        if content.count <= MessageDescription.inlineLimit { description.content = content }
    }

    mutating func read(_ uid: MessageUID, _ range: Range<Int>) throws(StoreError) -> Session.Answer {
        .content(try open(uid).read(range))
    }

    mutating func match(_ uids: [UID], _ keys: [ContentKey]) throws(StoreError) -> Session.Answer {
        let matcher = ContentMatcher(keys)
        let folder = try selectedFolder()
        message = nil
        var rows: [[Bool]] = []
        for uid in uids {
            do throws(StoreError) { rows.append(try matcher.row(MessageUID(uid.value), in: folder)) } catch {
                guard case .messageMissing = error else { throw error }
                rows.append([])
            }
        }
        return .matches(rows)
    }
}

extension ContentMatcher {
    /// Opens the file only if its name does not say enough.
    fileprivate func row(_ uid: MessageUID, in folder: Folder) throws(StoreError) -> [Bool] {
        if !needsHeader, !needsBody, let message = folder.message(uid), let size = message.wireSize,
            let seconds = message.name.arrivalSeconds {
            return matches(size: size, internalDate: InternalDate(seconds: seconds), bytes: [])
        }
        let file = try folder.open(uid)
        let bytes = needsBody ? try file.contents() : needsHeader ? try file.header().bytes : []
        return matches(size: try file.wireSize(), internalDate: InternalDate(seconds: try file.arrivalSeconds()), bytes: bytes)
    }
}

extension MessageFile {
    private static let firstLook = 16 * 1024

    /// The header with its blank line, at most `MessageDescription.headerLimit` of it, and how long all of it is.
    fileprivate func header() throws(StoreError) -> (bytes: [UInt8], length: Int) {
        let size = try wireSize()
        var count = min(size, MessageFile.firstLook)
        while true {
            let bytes = try read(0..<count)
            let end = HeaderSection(of: bytes).bodyStart
            // A header that ends just where the look ends may have been cut there.
            if end < bytes.count || count >= size {
                return (Array(bytes[..<min(end, MessageDescription.headerLimit)]), end)
            }
            count = min(size, count * 4)
        }
    }
}

extension Range<Int> {
    fileprivate func prefix(_ count: Int) -> Range<Int> { lowerBound..<Swift.min(upperBound, lowerBound + count) }
}
