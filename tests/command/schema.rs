//! Checks JSON against the parts of JSON Schema that our tests use. Does not follow references.

use serde_json::Value;

/// Checks a value against the parts of JSON Schema that our schema uses. Keys that the schema does
/// not name are an error here: whatever is written has to be documented.
pub fn validate(value: &Value, schema: &Value, place: &str) {
    let keys = [
        "$schema",
        "title",
        "description",
        "type",
        "format",
        "pattern",
        "required",
        "properties",
        "enum",
        "const",
        "minimum",
        "minLength",
        "maxLength",
        "minItems",
        "additionalProperties",
        "items",
    ];
    for key in schema.as_object().unwrap().keys() {
        assert!(keys.contains(&key.as_str()), "{place}: the test does not know {key}");
    }
    match schema["type"].as_str() {
        Some("object") => assert!(value.is_object(), "{place}"),
        Some("string") => assert!(value.is_string(), "{place}"),
        Some("integer") => assert!(value.is_u64(), "{place}"),
        Some("boolean") => assert!(value.is_boolean(), "{place}"),
        Some("array") => value.as_array().unwrap().iter().for_each(|item| validate(item, &schema["items"], place)),
        Some(other) => panic!("{place}: the test does not know {other}"),
        None => {}
    }
    if let Some(pattern) = schema["pattern"].as_str() {
        let text = value.as_str().unwrap();
        assert!(regex::Regex::new(pattern).unwrap().is_match(text), "{place}: {text}");
    }
    if let Some(allowed) = schema["enum"].as_array() {
        assert!(allowed.contains(value), "{place}: {value}");
    }
    assert!(schema["const"].is_null() || schema["const"] == *value, "{place}: {value}");
    if let Some(least) = schema["minimum"].as_u64() {
        assert!(value.as_u64() >= Some(least), "{place}: {value}");
    }
    let characters = value.as_str().map(|text| text.chars().count() as u64);
    assert!(schema["minLength"].as_u64() <= characters || schema["minLength"].is_null(), "{place}: {value}");
    assert!(schema["maxLength"].is_null() || characters <= schema["maxLength"].as_u64(), "{place}: {value}");
    let items = value.as_array().map(|items| items.len() as u64);
    assert!(schema["minItems"].as_u64() <= items || schema["minItems"].is_null(), "{place}: {value}");
    for name in schema["required"].as_array().into_iter().flatten() {
        assert!(value.get(name.as_str().unwrap()).is_some(), "{place}: {name} is missing");
    }
    for (name, inner) in value.as_object().into_iter().flatten() {
        let schema = match schema["properties"].get(name) {
            Some(schema) => schema,
            None => schema.get("additionalProperties").unwrap_or_else(|| panic!("{place}.{name} is not in the schema")),
        };
        validate(inner, schema, &format!("{place}.{name}"));
    }
}
