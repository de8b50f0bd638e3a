// What a mistyped word was meant to be.
import Testing

@testable import Linux

@Suite("The nearest name")
struct NearestNameTests {
    static let names = ["activate", "show", "list", "rename", "remove", "pin", "status", "log"]

    @Test(
        "One slip is understood, two in a longer name, and no more",
        arguments: [
            ("shwo", "show"), ("lst", "list"), ("pins", "pin"), ("actvate", "activate"),
            ("acitvaet", "activate"), ("stauts", "status"), ("renmae", "rename"), ("", nil),
            ("xyzzy", nil), ("p", nil), ("wipe", nil),
        ] as [(String, String?)])
    func slips(word: String, meant: String?) {
        #expect(nearest(to: word, among: NearestNameTests.names) == meant)
    }

    @Test("Among no names there is none")
    func none() { #expect(nearest(to: "show", among: []) == nil) }
}
