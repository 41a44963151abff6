"""Subjects for opinions, all singular."""

FILMS = (
    "the film|this film|the movie|this movie|the plot|the story|the script|the acting|the ending|the cast|the music|"
    "the dialogue|the camera work|the sequel|the first half|the second half|the lead|the director's cut|it|this|that"
).split("|")
EVERYDAY = (
    "the food|the service|the hotel|our room|my room|the breakfast|the staff|the waiter|the coffee|the cake|the pizza|"
    "the app|this app|the update|the website|the phone|this phone|the battery|the screen|the keyboard|the laptop|"
    "the camera|the sound|the delivery|my order|the package|the seller|customer support|the book|this book|"
    "the last chapter|the game|the level design|the course|the teacher|the lecture|the meeting|the flight|the train|"
    "the bus ride|the concert|the band|the show|the museum|the beach|the weather|the park|the neighborhood|the garden|"
    "the jacket|the fit|the fabric|the chair|the sofa|the vacuum cleaner|the mattress|the price|the design|"
    "the new menu|the doctor|the gym|the haircut|the class|the trip|my day|the party|the speech|the article"
).split("|")
THINGS = (*FILMS, *EVERYDAY)
