// A FETCH in progress: one message at a time, one item at a time, one piece of a large section at a time.

internal import MailFormat
internal import MailModel

/// What a FETCH remembers between the answers of the store.
struct FetchRun: Sendable {
    /// The message being told.
    struct Current: Sendable {
        let place: Int
        let uid: UID
        /// nil until the store has described the message; from then on its response is begun.
        var description: MessageDescription?
        var position = 0
        /// What of the announced literal is still to be read and sent.
        var literal: Range<Int> = 0..<0
        /// The header for which a HEADER.FIELDS of an inner message waits.
        var innerHeader: [UInt8]?
        var isMarked = false

        init(place: Int, uid: UID) {
            self.place = place
            self.uid = uid
        }
    }

    static let chunk = 64 * 1024

    let tag: Tag
    let numbering: Command.Numbering
    /// Without FLAGS if they change by what is fetched: then they come last.
    let items: [FetchItem]
    let wantsFlagsLast: Bool
    let setsSeen: Bool
    let needs: MessageNeeds
    var places: PlaceList
    var current: Current?
    var someAreGone = false

    init(_ tag: Tag, _ items: [FetchItem], _ numbering: Command.Numbering, _ places: [Range<Int>], isReadOnly: Bool) {
        self.tag = tag
        self.numbering = numbering
        // RFC 3501 §6.4.8: an answer to UID FETCH always has the UID.
        let addsUID = numbering == .uid && !items.contains(.uid)
        let setsSeen = !isReadOnly && items.contains(where: \.setsSeen)
        self.items = (addsUID ? [.uid] : []) + items.filter { $0 != .flags || !setsSeen }
        self.setsSeen = setsSeen
        wantsFlagsLast = setsSeen && items.contains(.flags)
        needs = items.reduce(into: []) { $0.formUnion($1.needs) }
        self.places = PlaceList(places)
    }

    /// In the middle of a response nothing else can be said.
    var isInsideResponse: Bool { current?.description != nil }
}

extension FetchItem {
    /// What must be known of a message to answer this item.
    var needs: MessageNeeds {
        switch self {
        case .flags, .uid: []
        case .internalDate: .internalDate
        case .size: .size
        case .envelope, .body, .bodyStructure: .structure
        case .section, .rfc822, .rfc822Header, .rfc822Text: bytes?.specifier.needs ?? []
        }
    }

    /// The item as a section, if its answer is bytes of the message.
    var bytes: Section? {
        switch self {
        case .section(let section): section
        case .rfc822: Section(SectionSpecifier(.all), isPeek: false)
        case .rfc822Header: Section(SectionSpecifier(.header), isPeek: true)
        case .rfc822Text: Section(SectionSpecifier(.text), isPeek: false)
        case .flags, .uid, .internalDate, .size, .envelope, .body, .bodyStructure: nil
        }
    }
}

extension SectionSpecifier {
    var needs: MessageNeeds {
        guard part.isEmpty else { return [.structure, .content] }
        switch text {
        case .all: return .content
        case .text: return [.header, .content]
        case .header, .headerFields, .headerFieldsNot, .mime: return .header
        }
    }

    /// Where the section lies in the message; for HEADER.FIELDS, the header from which they are picked. nil: nowhere.
    func range(in message: MessageDescription) -> Range<Int>? {
        guard part.isEmpty else {
            switch text {
            case .all: return message.structure?.range(of: part, .whole)
            case .header, .headerFields, .headerFieldsNot: return message.structure?.range(of: part, .header)
            case .text: return message.structure?.range(of: part, .text)
            case .mime: return message.structure?.range(of: part, .mime)
            }
        }
        let headerEnd = min(max(0, message.headerLength), message.size)
        switch text {
        case .all: return 0..<message.size
        case .header, .headerFields, .headerFieldsNot: return 0..<headerEnd
        case .text: return headerEnd..<message.size
        case .mime: return nil
        }
    }
}

extension MessageDescription {
    /// Bytes of the message if they came with the description.
    func bytes(_ range: Range<Int>) -> ArraySlice<UInt8>? {
        if range.isEmpty { return [] }
        if let content, range.upperBound <= content.count { return content[range] }
        if !header.isEmpty, range.upperBound <= header.count { return header[range] }
        return nil
    }
}
