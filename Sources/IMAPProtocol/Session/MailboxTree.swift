// All mailboxes of an account as LIST shows them: with the levels that exist only because something is below them.

/// One line of LIST or LSUB.
struct ListLine: Sendable {
    let name: MailboxName
    let attributes: [StaticString]
    let isSelectable: Bool
}

/// The names of an account, sorted, parents included.
struct MailboxTree: Sendable {
    private struct Node {
        let entry: MailboxEntry
        var hasChildren = false
    }

    private var nodes: [MailboxName: Node] = [:]

    init(_ entries: [MailboxEntry]) {
        for entry in entries { nodes[entry.name] = Node(entry: entry) }
        for entry in entries where entry.exists {
            var name = entry.name
            while let parent = name.parent {
                let known = nodes[parent]?.hasChildren == true
                nodes[parent, default: Node(entry: MailboxEntry(parent, exists: false))].hasChildren = true
                if known { break }
                name = parent
            }
        }
    }

    func list(_ request: ListRequest) -> [ListLine] {
        nodes.values.filter { node in
            let entry = node.entry
            if request.selection.contains(.subscribed), !entry.isSubscribed { return false }
            if request.selection.contains(.specialUse), entry.specialUse == nil { return false }
            if !request.selection.contains(.subscribed), !entry.exists, !node.hasChildren { return false }
            return request.patterns.contains { $0.matches(entry.name) }
        }
        .sorted { $0.entry.name < $1.entry.name }
        .map { line($0, showsSubscribed: request.returnsSubscribed || request.selection.contains(.subscribed)) }
    }

    private func line(_ node: Node, showsSubscribed: Bool) -> ListLine {
        var attributes: [StaticString] = []
        if !node.entry.exists { attributes += ["\\NonExistent", "\\Noselect"] }
        attributes.append(node.hasChildren ? "\\HasChildren" : "\\HasNoChildren")
        if let use = node.entry.specialUse { attributes.append(use.name) }
        if showsSubscribed, node.entry.isSubscribed { attributes.append("\\Subscribed") }
        return ListLine(name: node.entry.name, attributes: attributes, isSelectable: node.entry.exists)
    }

    /// Subscribed names; a level that `%` stops at is shown if something below it is subscribed (RFC 3501 §6.3.9).
    func lsub(_ request: ListRequest) -> [ListLine] {
        guard let pattern = request.patterns.first else { return [] }
        let subscribed = nodes.values.filter(\.entry.isSubscribed).map(\.entry.name)
        var shown: [MailboxName: Bool] = [:]
        for name in subscribed {
            if pattern.matches(name) { shown[name] = true; continue }
            var level = name
            while let parent = level.parent {
                if pattern.endsInPercent, pattern.matches(parent) { shown[parent] = shown[parent] ?? false }
                level = parent
            }
        }
        return shown.sorted { $0.key < $1.key }.map {
            ListLine(name: $0.key, attributes: $0.value ? [] : ["\\Noselect"], isSelectable: $0.value)
        }
    }
}

extension ListPattern {
    fileprivate var endsInPercent: Bool { bytes.last == UInt8(ascii: "%") }
}
